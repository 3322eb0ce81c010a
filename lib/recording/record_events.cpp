#include "recording/record_events.hpp"

#include <variant>

namespace sse {

void RecordEvents::on_record(const Record& record) {
    struct {
        RecordEvents& self;
        void operator()(const EventView& it) const { self.sink_.on_event(it); }
        void operator()(const RecordedId& it) const { self.sink_.on_id(it.id); }
        void operator()(const RecordedComment& it) const { self.sink_.on_comment(it.text); }
        void operator()(const RecordedRetry& it) const { self.sink_.on_retry(it.time); }
        void operator()(const RecordedOpen&) const { self.finish(); }
        void operator()(const RecordedClose&) const {}
        void operator()(const RecordedBytes& it) const {
            if (!self.parser_) self.parser_ = std::make_unique<Parser>(self.sink_);
            self.parser_->feed(it.bytes);
        }
    } const visitor{*this};
    std::visit(visitor, record.what);
}

void RecordEvents::finish() {
    if (parser_) parser_->finish();
    parser_.reset();
}

} // namespace sse
