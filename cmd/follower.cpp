#include "cmd/follower.hpp"

#include "cmd/command.hpp"
#include "cmd/duration.hpp"
#include "protocol/printable.hpp"
#include "recording/mask.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace cmd {

namespace {

/// Each line of a head as a note, secrets hidden.
void note_head(char direction, std::string_view head) {
    while (!head.empty()) {
        const auto end = std::min(head.find("\r\n"), head.size());
        const auto line = head.substr(0, end);
        head.remove_prefix(std::min(end + 2, head.size()));
        if (line.empty()) continue;
        const auto colon = line.find(": ");
        const auto name = line.substr(0, colon);
        if (colon == line.npos) note(fmt::format("{} {}", direction, sse::printable(line)));
        else
            note(fmt::format("{} {}: {}", direction, sse::printable(name),
                             sse::printable(sse::mask_header(name, line.substr(colon + 2)))));
    }
}

} // namespace

Follower::Follower(const FollowOptions& options, Printer& printer, Output& output, Keepers keepers,
                   std::string url, std::string last_event_id)
    : options_(options)
    , printer_(printer)
    , output_(output)
    , keepers_(keepers)
    , selector_(options.select)
    , url_(std::move(url))
    , last_event_id_(std::move(last_event_id)) {}

bool Follower::satisfied() const {
    const bool asked = options_.count || !options_.until.empty() || !options_.until_data.empty();
    return !asked || until_came_ || (options_.count && printed_ >= *options_.count);
}

bool Follower::is_last(const sse::EventView& event) const {
    const auto named = [](const auto& list, std::string_view text) {
        return std::find(list.begin(), list.end(), text) != list.end();
    };
    return named(options_.until, event.type) || named(options_.until_data, event.data);
}

/// All that was heard until now has been given to whoever reads stdout.
void Follower::written() {
    if (keepers_.state) {
        keepers_.state->set(url_, last_event_id_);
        keepers_.state->save();
    }
}

void Follower::on_event(const sse::EventView& event) {
    if (event.id) last_event_id_.assign(*event.id);
    if (keepers_.recorder) keepers_.recorder->event(event);
    if (selector_.wants(event) && printer_.event({event, last_event_id_}, output_.text())) {
        ++printed_;
        if (output_.added()) written();
    }
    until_came_ = is_last(event);
    if ((until_came_ || (options_.count && printed_ >= *options_.count)) && enough_) enough_();
}

void Follower::on_id(std::string_view id) {
    last_event_id_.assign(id);
    if (keepers_.recorder) keepers_.recorder->id(id);
    printer_.id(id, output_.text());
}

void Follower::on_comment(std::string_view text) {
    if (keepers_.recorder) keepers_.recorder->comment(text);
    if (options_.verbose) note(fmt::format("comment:{}", sse::printable(text)));
}

void Follower::on_retry(std::chrono::milliseconds time) {
    if (keepers_.recorder) keepers_.recorder->retry(time);
    if (options_.verbose) note(fmt::format("reconnection time: {}", format_duration(time)));
    printer_.retry(time, output_.text());
}

void Follower::on_bytes(std::string_view bytes) {
    printer_.bytes(bytes, output_.text());
    output_.added();
}

void Follower::on_open(const sse::Url& url, int status, const sse::Head& head,
                       std::string_view last_event_id) {
    if (keepers_.recorder) keepers_.recorder->open(url, status, head, last_event_id);
    if (options_.verbose) note(fmt::format("{} is open", url.text()));
}

void Follower::on_close(sse::Client::Close how, std::string_view why) {
    if (keepers_.recorder) keepers_.recorder->close(how, why);
}

void Follower::on_pause() {
    if (output_.flush()) written();
    if (keepers_.recorder) keepers_.recorder->flush();
}

void Follower::finish(bool all_written) {
    if (all_written) written();
    if (keepers_.recorder) keepers_.recorder->finish();
}

void Follower::on_request(const sse::Url& url, std::string_view head) {
    if (!options_.verbose) return;
    note(fmt::format("asking {}", url.text()));
    note_head('>', head);
}

void Follower::on_head(std::string_view head) {
    if (options_.verbose) note_head('<', head);
}

void Follower::on_tls(std::string_view description) {
    if (options_.verbose) note(std::string(description));
}

void Follower::on_reconnect(std::chrono::milliseconds wait, std::string_view why) {
    if (options_.verbose)
        note(fmt::format("connecting again in {}: {}", format_duration(wait), why));
}

void Follower::on_unsendable_id(std::string_view id) {
    if (options_.verbose) {
        note(fmt::format("the last event ID \"{}\" cannot be sent in a header; asking without it",
                         sse::printable(id, 100)));
    }
}

void Follower::on_oddity(sse::Oddity oddity, std::string_view line) {
    if (options_.verbose)
        note(fmt::format("{}: \"{}\"", to_string(oddity), sse::printable(line, 100)));
}

} // namespace cmd
