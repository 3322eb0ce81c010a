#include "store/store_export.hpp"

#include "base/error.hpp"
#include "base/rfc3339.hpp"
#include "protocol/parser.hpp"
#include "store/files.hpp"
#include "store/segment_file.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fmt/format.h>
#include <map>
#include <system_error>
#include <utility>

namespace sse {

namespace {

using std::chrono::microseconds;

/// The recording of one channel.
class ExportedChannel : private Parser::Sink {
public:
    ExportedChannel(std::unique_ptr<RecordingWriter> writer, std::uint64_t first_ms)
        : writer_(std::move(writer))
        , first_ms_(first_ms) {}

    void add(const RecordView& record) {
        const auto batch = record.batch();
        if (!batch) return;
        const auto since = record.head.time - std::min(first_ms_, record.head.time);
        t_ = std::chrono::milliseconds(since);
        for (std::size_t i = 0; i < batch->size(); ++i) parser_.feed(batch->block(i));
    }
    void finish() { writer_->finish(); }

private:
    void on_event(const EventView& event) override { writer_->event(t_, event); }
    void on_id(std::string_view id) override { writer_->id(t_, id); }
    void on_comment(std::string_view text) override { writer_->comment(t_, text); }
    void on_retry(std::chrono::milliseconds time) override { writer_->retry(t_, time); }

    std::unique_ptr<RecordingWriter> writer_;
    const std::uint64_t first_ms_;
    microseconds t_{0};
    Parser parser_{*this};
};

std::vector<std::string> segments_of(const std::string& directory) {
    std::vector<std::string> names;
    try {
        for (const auto& entry : std::filesystem::directory_iterator(directory)) {
            auto name = entry.path().filename().string();
            if (segment_number(name)) names.push_back(std::move(name));
        }
    } catch (const std::filesystem::filesystem_error& e) {
        throw Error(Errc::io, fmt::format("cannot read {}: {}", directory, e.code().message()));
    }
    std::sort(names.begin(), names.end());
    return names;
}

} // namespace

bool is_store(const std::string& directory) {
    std::error_code ignored;
    return std::filesystem::exists(std::filesystem::path(directory) / "lock", ignored) &&
           !segments_of(directory).empty();
}

void export_store(const std::string& directory,
                  const std::function<std::unique_ptr<RecordingWriter>(RecordingHeader)>& make,
                  const std::function<void(const std::string&)>& warn) {
    StoreFiles files(directory);
    std::map<std::string, ExportedChannel, std::less<>> channels;
    const auto channel = [&](const RecordView& record) -> ExportedChannel& {
        const auto found = channels.find(record.name);
        if (found != channels.end()) return found->second;
        RecordingHeader header;
        header.started = rfc3339(
            std::chrono::system_clock::time_point(std::chrono::milliseconds(record.head.time)));
        header.request.method = "GET";
        header.request.target = record.name;
        header.response.status = 200;
        header.response.headers.emplace_back("Content-Type", "text/event-stream");
        return channels
            .try_emplace(std::string(record.name), make(std::move(header)), record.head.time)
            .first->second;
    };
    std::string buffer;
    for (const auto& name : segments_of(directory)) {
        try {
            const auto file = files.open(name, StoreFiles::Mode::read);
            const auto head = read_segment_head(*file, files.path(name));
            if (!head) {
                warn(fmt::format("{} has no valid header and is skipped", files.path(name)));
                continue;
            }
            SegmentScanner scanner(*file, buffer, head->seed, sizeof(SegmentHead), file->size());
            while (const auto record = scanner.next())
                if (record->head.count > 0) channel(*record).add(*record);
            if (scanner.damaged() > 0)
                warn(fmt::format("{} is damaged; the events there are lost", files.path(name)));
        } catch (const std::system_error& e) {
            if (e.code() == std::errc::no_such_file_or_directory) continue; // it has expired
            throw Error(Errc::io, e.what());
        }
    }
    if (channels.empty()) {
        throw Error(Errc::bad_input, fmt::format("{}: the store contains no event", directory),
                    Reason::no_recording);
    }
    for (auto& [name, exported] : channels) exported.finish();
}

} // namespace sse
