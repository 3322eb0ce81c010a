// Any bytes as a recording, text, HAR file or cassette: refused with an error, or played, with
// times that never go back, the same in small steps as at once. The first bytes choose the options
// of the playback.
#include "base/error.hpp"
#include "playback/playback_driver.hpp"
#include "recording/har.hpp"
#include "recording/record_reader.hpp"
#include "recording/vcr.hpp"

#include <cstdint>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

namespace {

constexpr int max_records = 500;

/// A file in memory, with a path under which it can be opened again.
class MemoryFile {
public:
    explicit MemoryFile(std::string_view bytes)
        : fd_(::memfd_create("fuzz", MFD_CLOEXEC))
        , path_("/proc/self/fd/" + std::to_string(fd_)) {
        if (fd_ < 0 ||
            ::write(fd_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
            std::abort();
    }
    ~MemoryFile() { ::close(fd_); }
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;
    const std::string& path() const { return path_; }

private:
    int fd_;
    std::string path_;
};

sse::PlaybackOptions options_of(const std::uint8_t* choice) {
    sse::PlaybackOptions options;
    auto& timing = options.timing;
    const double speeds[] = {1, 1e-6, 1e9, 0.5};
    timing.speed = speeds[choice[0] % 4];
    timing.wait = (choice[0] & 4) == 0;
    if ((choice[0] & 8) != 0) timing.max_gap = std::chrono::microseconds(choice[1]);
    if ((choice[0] & 16) != 0) timing.interval = std::chrono::hours(24 * 36'500);
    if ((choice[0] & 32) != 0) timing.jitter = std::chrono::hours(24 * 36'500);
    if ((choice[0] & 64) != 0) timing.coalesce = std::chrono::hours(24 * 36'500);
    options.laps = choice[1] % 4;
    options.events = choice[2] % 8;
    options.comments = (choice[2] & 8) == 0;
    if ((choice[2] & 16) != 0) options.from = {std::chrono::microseconds(choice[3]), std::nullopt};
    if ((choice[2] & 32) != 0) options.to = {std::chrono::seconds(choice[3]), std::nullopt};
    if ((choice[2] & 64) != 0) options.from = {{}, "1"};
    options.reader.buffer_bytes = 1 + choice[3] % 100;
    options.reader.max_line_bytes = 1 << 16;
    return options;
}

/// What is sent, each time behind it.
std::string play(sse::Playback& playback, sse::Playback::Clock::time_point until) {
    const sse::Playback::Clock::time_point start{};
    auto last = start;
    std::string out;
    sse::PlaybackDriver driver(playback, [start] { return start; });
    try {
        for (int records = 0; records < max_records;) {
            const auto step = driver.step(until);
            if (step.kind == sse::PlaybackStep::Kind::search) continue;
            if (step.record == nullptr) break;
            if (step.when < last || step.record->t < std::chrono::microseconds(0)) std::abort();
            last = step.when;
            sse::append_record(*step.record, playback.format(), out);
            out += std::to_string(step.when.time_since_epoch().count());
            playback.advance();
            ++records;
        }
    } catch (const sse::Error& e) {
        out += e.what();
    }
    return out;
}

void play_import(const std::string& path) {
    std::vector<std::unique_ptr<MemoryFile>> made;
    sse::RecordingInput input(path);
    const auto make = [&](sse::RecordingHeader header) {
        made.push_back(std::make_unique<MemoryFile>(""));
        return std::make_unique<sse::RecordingWriter>(made.back()->path(), std::move(header));
    };
    const auto start = sse::start_of(input);
    if (sse::is_har(start)) sse::read_har(input, make);
    else if (sse::is_vcr(start)) sse::read_vcr(input, make);
    for (const auto& file : made) { // what was made of it is a recording
        const auto reader = sse::open_recording(file->path());
        while (reader->next() != nullptr) {
        }
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 4) return 0;
    const MemoryFile file({reinterpret_cast<const char*>(data) + 4, size - 4});
    try {
        const auto options = options_of(data);
        sse::Playback at_once(file.path(), options), in_steps(file.path(), options);
        using Time = sse::Playback::Clock::time_point;
        if (play(at_once, Time::max()) != play(in_steps, Time::min())) std::abort();
    } catch (const sse::Error&) { // not a recording
    }
    try {
        play_import(file.path());
    } catch (const sse::Error&) { // neither a HAR file nor a cassette, or without streams
    }
    return 0;
}
