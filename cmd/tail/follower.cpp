#include "cmd/tail/follower.hpp"

#include "base/mask.hpp"
#include "base/printable.hpp"
#include "cmd/cli/command.hpp"
#include "cmd/cli/duration.hpp"
#include "http/gap_field.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace cmd {

namespace {

/// Each line of a head as a note, secrets masked.
template <class Print>
void note_head(char direction, std::string_view head, const Print& print) {
    for (const auto& line : sse::mask_head(head))
        print(fmt::format("{} {}", direction, sse::printable(line)));
}

/// The effect of the problem, by the standard (HTML 9.2.5 and 9.2.6).
std::string_view rule_of(sse::ParseWarning warning) {
    switch (warning) {
    case sse::ParseWarning::unknown_field: return "unknown field, ignored (HTML 9.2.6)";
    case sse::ParseWarning::bad_retry: return "retry is not all digits, ignored (HTML 9.2.6)";
    case sse::ParseWarning::nul_in_id: return "id contains NUL, ignored (HTML 9.2.6)";
    case sse::ParseWarning::invalid_utf8: return "invalid UTF-8, replaced by U+FFFD (HTML 9.2.6)";
    case sse::ParseWarning::unfinished_block:
    case sse::ParseWarning::unfinished_event:
        return "no blank line at the end of the stream, last event discarded (HTML 9.2.6)";
    }
    return "";
}

} // namespace

bool FollowContext::satisfied() const {
    const bool asked = options.count || !options.until.empty() || !options.until_data.empty();
    return !asked || until_matched || (options.count && printed >= *options.count);
}

void FollowContext::flush() {
    output.flush();
    const bool recorded = !recorder || recorder->flush();
    if (delivered && recorded) delivered->on_written(output.written());
}

Follower::Follower(FollowContext& context, std::string name, std::string url)
    : context_(context)
    , filter_(context.options.select)
    , name_(std::move(name)) {
    if (context_.stats) stats_number_ = context_.stats->add(sse::mask_url(url));
    if (context_.delivered) delivered_number_ = context_.delivered->add_stream(std::move(url));
}

Follower::Delivery Follower::deliver(const sse::EventView& event) {
    const ReceivedEvent received{event, client_->last_event_id(), name_};
    auto& output = context_.output;
    if (!context_.executor) {
        return context_.printer.event(received, output.text()) ? Delivery::delivered
                                                               : Delivery::nothing_to_print;
    }
    auto& executor = *context_.executor;
    // The output of the commands before comes first, and that of this event before its command's.
    if (!executor.wait_for_room()) return Delivery::refused;
    if (!context_.printer.event(received, output.text())) return Delivery::nothing_to_print;
    output.added();
    output.flush();
    if (context_.recorder && context_.delivered && !context_.recorder->flush())
        return Delivery::refused;
    return executor.run(received) ? Delivery::delivered : Delivery::refused;
}

bool Follower::is_last(const sse::EventView& event) const {
    const auto& o = context_.options;
    if (o.until.empty() && o.until_data.empty()) return false;
    const auto contains = [](const auto& list, std::string_view text) {
        return std::find(list.begin(), list.end(), text) != list.end();
    };
    return contains(o.until, event.type) || contains(o.until_data, event.data);
}

/// The last event ID may be saved once the output so far is written and the commands have ended.
void Follower::add_delivered() {
    if (!context_.delivered || context_.delivery_failed) return;
    context_.delivered->add(delivered_number_, client_->last_event_id(), context_.output.appended(),
                            context_.executor ? context_.executor->started() : 0);
}

/// An API may report an error in an event that --pointer prints nothing of.
void Follower::note_error(const sse::EventView& event) {
    auto error = values_.find(event.data, "/error/message");
    if (!error) error = values_.find(event.data, "/error");
    if (!error && event.type == "error") error = event.data;
    if (!error || *error == "null") return;
    auto text = sse::printable(*error, 300);
    if (text == context_.noted_error) return;
    context_.noted_error = std::move(text);
    print_note(fmt::format("an event without a value for --pointer reports an error: {}",
                           context_.noted_error));
}

void Follower::print_note(const std::string& text) const {
    note(name_.empty() ? text : fmt::format("{}: {}", name_, text));
}

void Follower::print_verbose(const std::string& text) const {
    if (context_.options.verbose) print_note(text);
}

void Follower::on_event(const sse::EventView& event) {
    const auto lock = context_.lock();
    if (context_.done) return;
    if (context_.recorder) context_.recorder->event(event);
    const bool selected = filter_.wants(event);
    const auto delivery = selected ? deliver(event) : Delivery::nothing_to_print;
    const bool printed = delivery == Delivery::delivered;
    if (selected) ++context_.selected;
    if (context_.stats) context_.stats->event(stats_number_, event, printed);
    if (delivery == Delivery::refused) context_.delivery_failed = true;
    add_delivered();
    if (printed) {
        ++context_.printed;
        const auto before = context_.output.written();
        context_.output.added();
        if (context_.output.written() != before) context_.flush();
    } else if (selected && context_.notes_errors) {
        note_error(event);
    }
    context_.until_matched = is_last(event);
    context_.done = context_.until_matched ||
                    (context_.options.count && context_.printed >= *context_.options.count);
    if (context_.done) on_done_();
}

void Follower::on_id(std::string_view id) {
    const auto lock = context_.lock();
    if (context_.done) return;
    if (context_.recorder) context_.recorder->id(id);
    context_.printer.id(id, context_.output.text());
    add_delivered();
}

void Follower::on_comment(std::string_view text) {
    const auto lock = context_.lock();
    if (context_.done) return;
    if (context_.recorder) context_.recorder->comment(text);
    print_verbose(fmt::format("comment:{}", sse::printable(text)));
}

void Follower::on_retry(std::chrono::milliseconds time) {
    const auto lock = context_.lock();
    if (context_.done) return;
    if (context_.recorder) context_.recorder->retry(time);
    print_verbose(fmt::format("reconnection time: {}", format_duration(time)));
    context_.printer.retry(time, context_.output.text());
}

void Follower::on_received(std::string_view bytes) {
    const auto lock = context_.lock();
    if (context_.recorder && !context_.done) context_.recorder->read(bytes);
}

void Follower::on_bytes(std::string_view bytes) {
    if (context_.stats) context_.stats->bytes(bytes.size());
    const auto lock = context_.lock();
    context_.printer.bytes(bytes, context_.output.text());
    context_.output.added();
}

void Follower::on_response(const sse::Timing& timing) {
    if (context_.stats) context_.stats->responded(stats_number_, timing);
}

void Follower::on_open(const sse::Url& url, int status, const sse::Head& head,
                       std::string_view last_event_id) {
    const auto lock = context_.lock();
    if (context_.recorder) context_.recorder->open(url, status, head, last_event_id);
    print_verbose(fmt::format("stream open: {}", url.shown()));
    if (std::exchange(is_waiting_, false) && !context_.options.verbose) print_note("reconnected");
    if (!last_event_id.empty() && head.find(sse::gap_field) == "true") {
        warn(fmt::format("{} no longer has event {}: events may be missing or repeated",
                         url.shown(), sse::printable(last_event_id, 100)));
    }
}

void Follower::on_close(sse::Client::Close how, std::string_view why) {
    const auto lock = context_.lock();
    if (context_.recorder) context_.recorder->close(how, why);
    const bool unfinished = std::exchange(is_unfinished_, false);
    if (!unfinished || how != sse::Client::Close::eof || context_.options.verbose) return;
    if (std::exchange(context_.noted_unfinished, true)) return;
    print_note("the stream ended without a blank line after its last event, which was discarded");
}

void Follower::on_pause() {
    const auto lock = context_.lock();
    context_.flush();
}

void Follower::on_request(const sse::Url& url, std::string_view head) {
    print_verbose(fmt::format("requesting {}", url.shown()));
    note_head('>', head, [this](const std::string& text) { print_verbose(text); });
}

void Follower::on_head(std::string_view head) {
    note_head('<', head, [this](const std::string& text) { print_verbose(text); });
}

void Follower::on_connect(const sse::Url& peer, std::string_view address) {
    print_verbose(fmt::format("connected to {}{}", peer.endpoint(),
                              address == peer.host ? "" : fmt::format(" ({})", address)));
}

void Follower::on_redirect(int status, const sse::ClientRequest& next, bool credentials_dropped) {
    print_verbose(fmt::format(
        "redirected ({}) to {} with {}{}", status, next.url.shown(), next.method,
        credentials_dropped ? "; credentials and custom headers are not sent to another origin"
                            : ""));
}

void Follower::on_ignored_coding(std::string_view name) {
    print_verbose(fmt::format("ignored Content-Encoding {}, which is not a content coding",
                              sse::printable(name, 40)));
}

void Follower::on_tls(std::string_view description) { print_verbose(std::string(description)); }

void Follower::on_reconnect(std::chrono::milliseconds wait, std::string_view why) {
    if (context_.stats) context_.stats->reconnected(stats_number_);
    using namespace std::chrono_literals;
    const bool watched =
        context_.stderr_is_terminal && (wait >= 1s || is_waiting_); // shorter ones are not seen
    if (!watched && !context_.options.verbose) return;
    const auto time = wait < 1s || wait % 1s == 0s
                          ? format_duration(wait)
                          : fmt::format("{:.1f}s", std::chrono::duration<double>(wait).count());
    print_note(fmt::format("reconnecting in {}: {}", time, why));
    is_waiting_ = true;
}

void Follower::on_unsendable_id(std::string_view id) {
    auto shown = sse::printable(id, 100);
    if (shown == unsendable_id_) return; // once, however often it tries
    unsendable_id_ = std::move(shown);
    warn(fmt::format("the last event ID \"{}\" cannot be sent in a header: events may be "
                     "missing or repeated",
                     unsendable_id_));
}

void Follower::on_warning(sse::ParseWarning warning, std::string_view line) {
    if (warning == sse::ParseWarning::unfinished_event) is_unfinished_ = true;
    print_verbose(fmt::format("{}: \"{}\"", rule_of(warning), sse::printable(line, 100)));
}

void Follower::on_end(sse::Client::End end) {
    switch (end) {
    case sse::Client::End::stopped: return print_verbose("stopped: the stop condition is met");
    case sse::Client::End::interrupted: return print_verbose("interrupted");
    case sse::Client::End::ended: return print_verbose("the stream ended");
    case sse::Client::End::no_content:
        return print_verbose("204 No Content: the server asks clients not to reconnect");
    case sse::Client::End::server_gone:
        return print_verbose("the stream ended, and the server no longer accepts connections");
    }
}

} // namespace cmd
