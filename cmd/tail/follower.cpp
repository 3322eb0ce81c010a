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
template <class Say>
void note_head(char direction, std::string_view head, const Say& say) {
    for (const auto& line : sse::mask_head(head))
        say(fmt::format("{} {}", direction, sse::printable(line)));
}

/// What the standard (HTML, 9.2.5 to 9.2.6) makes of it.
std::string_view rule_of(sse::ParseWarning warning) {
    switch (warning) {
    case sse::ParseWarning::unknown_field: return "unknown field, ignored (HTML 9.2.6)";
    case sse::ParseWarning::bad_retry: return "retry is not all digits, ignored (HTML 9.2.6)";
    case sse::ParseWarning::nul_in_id: return "id holds NUL, ignored (HTML 9.2.6)";
    case sse::ParseWarning::invalid_utf8: return "invalid UTF-8, read as U+FFFD (HTML 9.2.6)";
    case sse::ParseWarning::unfinished_block:
        return "no blank line before the end of the stream, discarded (HTML 9.2.6)";
    }
    return "";
}

} // namespace

bool Following::satisfied() const {
    const bool asked = options.count || !options.until.empty() || !options.until_data.empty();
    return !asked || until_came || (options.count && printed >= *options.count);
}

Follower::Follower(Following& following, std::string name, std::string url,
                   std::string last_event_id)
    : all_(following)
    , selector_(following.options.select)
    , name_(std::move(name))
    , url_(std::move(url))
    , last_event_id_(std::move(last_event_id)) {
    if (all_.stats) number_ = all_.stats->add(sse::mask_url(url_));
}

bool Follower::pass_on(const sse::EventView& event) {
    const ReceivedEvent received{event, last_event_id_, name_};
    if (!all_.executor) return all_.printer.event(received, all_.output.text());
    if (!all_.executor->wait_for_room()) return false; // behind what commands before have printed
    if (!all_.printer.event(received, all_.output.text())) return false;
    all_.output.flush(); // before what this one prints
    return all_.executor->run(received);
}

bool Follower::is_last(const sse::EventView& event) const {
    const auto named = [](const auto& list, std::string_view text) {
        return std::find(list.begin(), list.end(), text) != list.end();
    };
    return named(all_.options.until, event.type) || named(all_.options.until_data, event.data);
}

void Follower::written() {
    if (!all_.state) return;
    if (all_.executor && (!all_.executor->finish() || !all_.executor->failure().empty()))
        return; // what is not done is to come again
    if (all_.recorder && !all_.recorder->flush()) return;
    all_.state->set(url_, last_event_id_);
    all_.state->save();
}

void Follower::tell(const std::string& text) const {
    note(name_.empty() ? text : fmt::format("{}: {}", name_, text));
}

void Follower::say(const std::string& text) const {
    if (all_.options.verbose) tell(text);
}

void Follower::on_event(const sse::EventView& event) {
    const std::lock_guard lock(all_.mutex);
    if (all_.over) return;
    if (all_.recorder) all_.recorder->event(event);
    if (event.id) last_event_id_.assign(*event.id);
    const bool selected = selector_.wants(event);
    const bool printed = selected && pass_on(event);
    if (selected) ++all_.selected;
    if (all_.stats) all_.stats->event(number_, event, printed);
    if (printed) {
        ++all_.printed;
        if (all_.output.added() && all_.output.text().empty()) written();
    }
    all_.until_came = is_last(event);
    all_.over = all_.until_came || (all_.options.count && all_.printed >= *all_.options.count);
    if (all_.over) enough_();
}

void Follower::on_id(std::string_view id) {
    const std::lock_guard lock(all_.mutex);
    if (all_.over) return;
    if (all_.recorder) all_.recorder->id(id);
    last_event_id_.assign(id);
    all_.printer.id(id, all_.output.text());
}

void Follower::on_comment(std::string_view text) {
    const std::lock_guard lock(all_.mutex);
    if (all_.over) return;
    if (all_.recorder) all_.recorder->comment(text);
    say(fmt::format("comment:{}", sse::printable(text)));
}

void Follower::on_retry(std::chrono::milliseconds time) {
    const std::lock_guard lock(all_.mutex);
    if (all_.over) return;
    if (all_.recorder) all_.recorder->retry(time);
    say(fmt::format("reconnection time: {}", format_duration(time)));
    all_.printer.retry(time, all_.output.text());
}

void Follower::on_read(std::string_view bytes) {
    const std::lock_guard lock(all_.mutex);
    if (all_.recorder && !all_.over) all_.recorder->read(bytes);
}

void Follower::on_bytes(std::string_view bytes) {
    if (all_.stats) all_.stats->bytes(bytes.size());
    const std::lock_guard lock(all_.mutex);
    all_.printer.bytes(bytes, all_.output.text());
    all_.output.added();
}

void Follower::on_response(const sse::Timing& timing) {
    if (all_.stats) all_.stats->answered(number_, timing);
}

void Follower::on_open(const sse::Url& url, int status, const sse::Head& head,
                       std::string_view last_event_id) {
    const std::lock_guard lock(all_.mutex);
    if (all_.recorder) all_.recorder->open(url, status, head, last_event_id);
    say(fmt::format("stream open: {}", url.shown()));
    if (std::exchange(told_away_, false) && !all_.options.verbose) tell("reconnected");
    if (!last_event_id.empty() && head.find(sse::gap_field) == "true") {
        warn(fmt::format("{} no longer has event {}: events may be missing or repeated",
                         url.shown(), sse::printable(last_event_id, 100)));
    }
}

void Follower::on_close(sse::Client::Close how, std::string_view why) {
    const std::lock_guard lock(all_.mutex);
    if (all_.recorder) all_.recorder->close(how, why);
}

void Follower::on_pause() {
    const std::lock_guard lock(all_.mutex);
    if (all_.output.flush()) written();
    if (all_.recorder) all_.recorder->flush();
}

void Follower::on_request(const sse::Url& url, std::string_view head) {
    say(fmt::format("requesting {}", url.shown()));
    note_head('>', head, [this](const std::string& text) { say(text); });
}

void Follower::on_head(std::string_view head) {
    note_head('<', head, [this](const std::string& text) { say(text); });
}

void Follower::on_connect(const sse::Url& peer, std::string_view address) {
    say(fmt::format("connected to {}{}", peer.endpoint(),
                    address == peer.host ? "" : fmt::format(" ({})", address)));
}

void Follower::on_redirect(int status, const sse::ClientRequest& next, bool credentials_dropped) {
    say(fmt::format("redirected ({}) to {} with {}{}", status, next.url.shown(), next.method,
                    credentials_dropped
                        ? "; credentials and custom headers are not sent to another origin"
                        : ""));
}

void Follower::on_ignored_coding(std::string_view name) {
    say(fmt::format("Content-Encoding {} is not a content coding: ignored",
                    sse::printable(name, 40)));
}

void Follower::on_tls(std::string_view description) { say(std::string(description)); }

void Follower::on_reconnect(std::chrono::milliseconds wait, std::string_view why) {
    if (all_.stats) all_.stats->reconnects(number_);
    using namespace std::chrono_literals;
    const bool watched =
        all_.on_terminal && (wait >= 1s || told_away_); // shorter ones are not seen
    if (!watched && !all_.options.verbose) return;
    const auto time = wait < 1s || wait % 1s == 0s
                          ? format_duration(wait)
                          : fmt::format("{:.1f}s", std::chrono::duration<double>(wait).count());
    tell(fmt::format("reconnecting in {}: {}", time, why));
    told_away_ = true;
}

void Follower::on_unsendable_id(std::string_view id) {
    auto shown = sse::printable(id, 100);
    if (shown == unsendable_) return; // once, however often it tries
    unsendable_ = std::move(shown);
    warn(fmt::format("the last event ID \"{}\" cannot be sent in a header: events may be "
                     "missing or repeated",
                     unsendable_));
}

void Follower::on_warning(sse::ParseWarning warning, std::string_view line) {
    say(fmt::format("{}: \"{}\"", rule_of(warning), sse::printable(line, 100)));
}

void Follower::on_end(sse::Client::End end) {
    switch (end) {
    case sse::Client::End::stopped: return say("stopped: the stop condition is met");
    case sse::Client::End::interrupted: return say("interrupted");
    case sse::Client::End::ended: return say("the stream ended");
    case sse::Client::End::no_content:
        return say("204 No Content: the server asks clients not to reconnect");
    case sse::Client::End::server_gone:
        return say("the stream ended, and the server no longer accepts connections");
    }
}

} // namespace cmd
