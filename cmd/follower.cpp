#include "cmd/follower.hpp"

#include <algorithm>
#include <utility>

namespace cmd {

Follower::Follower(const FollowOptions& options, Printer& printer, Output& output,
                   Recorder* recorder, std::string last_event_id)
    : options_(options)
    , printer_(printer)
    , output_(output)
    , recorder_(recorder)
    , last_event_id_(std::move(last_event_id)) {}

bool Follower::satisfied() const {
    const bool asked = options_.count || !options_.until.empty() || !options_.until_data.empty();
    return !asked || until_came_ || (options_.count && printed_ >= *options_.count);
}

bool Follower::selected(const sse::EventView& event) const {
    return options_.types.empty() || std::find(options_.types.begin(), options_.types.end(),
                                               event.type) != options_.types.end();
}

bool Follower::is_last(const sse::EventView& event) const {
    const auto named = [](const auto& list, std::string_view text) {
        return std::find(list.begin(), list.end(), text) != list.end();
    };
    return named(options_.until, event.type) || named(options_.until_data, event.data);
}

void Follower::on_event(const sse::EventView& event) {
    if (event.id) last_event_id_.assign(*event.id);
    if (recorder_) recorder_->event(event);
    if (selected(event)) {
        printer_.event({event, last_event_id_}, output_.text());
        ++printed_;
        output_.added();
    }
    until_came_ = is_last(event);
    if ((until_came_ || (options_.count && printed_ >= *options_.count)) && enough_) enough_();
}

void Follower::on_id(std::string_view id) {
    last_event_id_.assign(id);
    if (recorder_) recorder_->id(id);
    printer_.id(id, output_.text());
}

void Follower::on_comment(std::string_view text) {
    if (recorder_) recorder_->comment(text);
}

void Follower::on_retry(std::chrono::milliseconds time) {
    if (recorder_) recorder_->retry(time);
    printer_.retry(time, output_.text());
}

void Follower::on_bytes(std::string_view bytes) {
    printer_.bytes(bytes, output_.text());
    output_.added();
}

void Follower::on_open(const sse::Url& url, int status, const sse::Head& head,
                       std::string_view last_event_id) {
    if (recorder_) recorder_->open(url, status, head, last_event_id);
}

void Follower::on_close(sse::Client::Close how, std::string_view why) {
    if (recorder_) recorder_->close(how, why);
}

void Follower::on_pause() {
    output_.flush();
    if (recorder_) recorder_->flush();
}

} // namespace cmd
