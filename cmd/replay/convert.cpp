#include "cmd/replay/convert.hpp"

#include "base/error.hpp"
#include "base/mask.hpp"
#include "cmd/cli/command.hpp"
#include "cmd/cli/output.hpp"
#include "cmd/cli/recording_output.hpp"
#include "http/url.hpp"
#include "playback/playback_driver.hpp"
#include "protocol/parser.hpp"
#include "proxy/recording_store.hpp"
#include "recording/har_text.hpp"
#include "recording/record_events.hpp"

#include <chrono>
#include <filesystem>
#include <fmt/format.h>
#include <strings.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace cmd {

namespace {

using std::chrono::microseconds;

/// Calls `write(record)` for each record that is played, with `t` as the time of the playback.
/// False as soon as `write` returns false.
template <class Write>
bool each(sse::Playback& playback, const sse::PlaybackOptions& options, const Write& write) {
    const sse::Playback::Clock::time_point start{}; // nothing waits, so the clock can stand still
    sse::PlaybackDriver driver(playback, [start] { return start; });
    for (auto step = driver.step(); step.record != nullptr; step = driver.step()) {
        auto played = *step.record;
        played.t = std::chrono::duration_cast<microseconds>(step.when - start);
        if (!write(played)) return false;
        playback.advance();
    }
    warn_about(playback, options, playback.reader().input().name());
    return true;
}

/// Appends a head as `curl -i` prints it, without the fields of transfer and content coding.
void append_head(const sse::RecordedResponse& response, std::string& out) {
    const auto is = [](const std::string& name, const char* other) {
        return ::strcasecmp(name.c_str(), other) == 0;
    };
    out += fmt::format("HTTP/1.1 {}\r\n", response.status == 0 ? 200 : response.status);
    bool typed = false;
    for (const auto& [name, value] : response.headers) {
        if (is(name, "transfer-encoding") || is(name, "content-length") ||
            is(name, "content-encoding")) {
            continue;
        }
        typed = typed || is(name, "content-type");
        out += fmt::format("{}: {}\r\n", name, sse::mask_header(name, value));
    }
    out += typed ? "\r\n" : "Content-Type: text/event-stream; charset=utf-8\r\n\r\n";
}

void write_text(Recordings& recordings, const sse::PlaybackOptions& options, bool head) {
    Output out(STDOUT_FILENO, {.escape_on_terminal = true});
    for (std::size_t i = 0; i < recordings.files().size(); ++i) {
        sse::Playback playback(recordings.open(i, options.reader), options);
        if (head) append_head(playback.reader().header().response, out.text());
        const auto format = head ? playback.format() : sse::StreamFormat::event_stream;
        const auto write = [&](const sse::Record& record) {
            sse::append_record(record, format, out.text());
            return out.added();
        };
        if (!each(playback, options, write)) return;
    }
    out.flush();
}

/// Writes events to a HAR file, including those in recorded reads.
class HarEvents : public sse::Parser::Sink {
public:
    explicit HarEvents(sse::HarText& har)
        : har_(har) {}
    void on_record(const sse::Record& record) {
        t_ = record.t;
        events_.on_record(record);
    }
    void on_event(const sse::EventView& event) override { har_.event(t_, event); }

private:
    sse::HarText& har_;
    sse::RecordEvents events_{*this};
    microseconds t_{0};
};

void write_har(Recordings& recordings, const sse::PlaybackOptions& options) {
    Output out(STDOUT_FILENO, {.escape_on_terminal = true});
    sse::HarText har(out.text());
    for (std::size_t i = 0; i < recordings.files().size(); ++i) {
        sse::Playback playback(recordings.open(i, options.reader), options);
        har.begin(playback.reader().header());
        HarEvents events(har);
        microseconds last{0};
        const auto write = [&](const sse::Record& record) {
            events.on_record(record);
            last = record.t;
            return out.added();
        };
        if (!each(playback, options, write)) return;
        har.end(last);
    }
    har.finish();
    out.flush();
}

void write_records(sse::Playback& playback, const sse::PlaybackOptions& options,
                   sse::RecordingWriter& writer) {
    each(playback, options, [&](const sse::Record& record) {
        writer.write(record);
        return true;
    });
    writer.finish();
}

void write_recording(Recordings& recordings, const sse::PlaybackOptions& options) {
    if (recordings.files().size() > 1) {
        throw Failure(Exit::usage, "--to jsonl can convert only one recording at a time",
                      "write each to a file of its own with --output-dir DIR, or use --to har");
    }
    sse::Playback playback(recordings.open(0, options.reader), options);
    try {
        const auto writer = make_recording("-", playback.reader().header());
        write_records(playback, options, *writer);
    } catch (const sse::Error&) {
        if (!reader_has_gone()) throw;
    }
}

/// Path and query that the client asked for; "" if they were not recorded.
std::string recorded_target(const sse::RecordingHeader& header) {
    if (!header.request.target.empty() || header.url.empty()) return header.request.target;
    try {
        return sse::Url::parse(header.url).target;
    } catch (const sse::Error&) {
        return {};
    }
}

/// Refuses a directory that recordings are read from: there, they would be replaced unread.
void check_output_directory(const Recordings& recordings, const std::string& directory) {
    namespace fs = std::filesystem;
    for (std::size_t i = 0; i < recordings.files().size(); ++i) {
        std::error_code error;
        auto folder = fs::path(recordings.files()[i]).parent_path();
        if (folder.empty()) folder = ".";
        if (!fs::equivalent(folder, directory, error) || error) continue;
        throw Failure(Exit::usage,
                      fmt::format("{} is in the directory of --output-dir", recordings.name(i)),
                      "choose another directory with --output-dir");
    }
}

void write_directory(Recordings& recordings, const sse::PlaybackOptions& options,
                     const std::string& directory) {
    check_output_directory(recordings, directory);
    try {
        sse::RecordingStoreOptions store_options;
        store_options.directory = directory;
        sse::RecordingStore store(std::move(store_options));
        for (std::size_t i = 0; i < recordings.files().size(); ++i) {
            sse::Playback playback(recordings.open(i, options.reader), options);
            const auto& header = playback.reader().header();
            const auto method = header.request.method.empty() ? "GET" : header.request.method;
            const auto path = store.next_path(sse::recording_name(
                method, sse::mask_url(recorded_target(header)), header.request.body.value_or("")));
            write_records(playback, options, *make_recording(path, header));
        }
    } catch (const std::system_error& e) {
        throw Failure(Exit::io_error, e.what(),
                      "give --output-dir a directory that this user can create and write to");
    }
}

} // namespace

int convert(Recordings& recordings, const sse::PlaybackOptions& options, RecordingFormat format,
            const std::string& directory) {
    if (!directory.empty()) {
        write_directory(recordings, options, directory);
        return Exit::done;
    }
    switch (format) {
    case RecordingFormat::jsonl: write_recording(recordings, options); break;
    case RecordingFormat::sse: write_text(recordings, options, false); break;
    case RecordingFormat::har: write_har(recordings, options); break;
    case RecordingFormat::curl: write_text(recordings, options, true); break;
    }
    return Exit::done;
}

} // namespace cmd
