#include "store/segment_recovery.hpp"

#include "base/error.hpp"
#include "base/unix_time.hpp"
#include "store/segment_file.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <optional>
#include <set>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <utility>

namespace sse {

namespace {

/// Creates the directory if there is none.
Descriptor lock_directory(StoreFiles& files) {
    const auto& directory = files.directory();
    if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
        throw std::system_error(errno, std::generic_category(),
                                fmt::format("cannot create {}", directory));
    }
    Descriptor lock(
        ::open(files.path("lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (lock.get() < 0) {
        throw std::system_error(errno, std::generic_category(),
                                fmt::format("cannot open {}", files.path("lock")));
    }
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0)
        throw Error(Errc::io, fmt::format("another process uses the store {}", directory));
    files.sync_directory();
    return lock;
}

class Recovery {
public:
    Recovery(StoreFiles& files, const StoreOptions& options)
        : files_(files)
        , options_(options) {}

    RecoveredSegments run();

private:
    void load(std::uint64_t number, bool newest);
    std::uint64_t scan(const StoreFile& file, Segment& segment);
    void remember(Segment& segment);
    std::uint64_t keys_since() const;

    StoreFiles& files_;
    const StoreOptions& options_;
    RecoveredSegments out_;
};

RecoveredSegments Recovery::run() {
    out_.lock = lock_directory(files_);
    std::vector<std::uint64_t> numbers;
    std::set<std::string> names;
    for (auto& name : files_.list()) {
        if (const auto number = segment_number(name)) numbers.push_back(*number);
        names.insert(std::move(name));
    }
    for (const auto number : numbers) names.erase(segment_index_name(number));
    for (const auto& name : names) { // left by a process that was killed
        if (name.ends_with(".index") || name.ends_with(".new")) files_.remove(name);
    }
    for (const auto number : numbers) load(number, number == numbers.back());
    return std::move(out_);
}

/// Opens one segment; `newest`: it is the last.
void Recovery::load(std::uint64_t number, bool newest) {
    const auto name = segment_name(number);
    auto file = files_.open(name, newest ? StoreFiles::Mode::write : StoreFiles::Mode::read);
    const auto head = read_segment_head(*file, files_.path(name));
    if (!head) {
        if (newest && file->size() <= sizeof(SegmentHead)) { // it was being created
            files_.remove(name);
            return;
        }
        out_.notes.push_back(
            fmt::format("{} has no valid header and is skipped", files_.path(name)));
        ++out_.damaged;
        auto& unreadable = *out_.segments.emplace_back(std::make_unique<Segment>(0));
        unreadable.number = number;
        unreadable.size = file->size();
        unreadable.indexed = true; // there is nothing to index
        return;
    }
    auto segment = std::make_unique<Segment>(head->seed);
    segment->number = number;
    segment->created = head->created;
    segment->size = file->size();
    if (!newest) {
        try {
            const auto stored = files_.open(segment_index_name(number), StoreFiles::Mode::read);
            if (auto index = SegmentIndex::load(*stored, head->seed, segment->size, keys_since())) {
                segment->index = std::move(*index);
                segment->indexed = true;
            }
        } catch (const std::system_error&) { // made again
        }
    }
    if (!segment->indexed) {
        const auto end = scan(*file, *segment);
        if (newest && end < segment->size) {
            out_.notes.push_back(
                fmt::format("removed {} bytes of an incomplete record from the end of {}",
                            segment->size - end, files_.path(name)));
            file->truncate(end);
            segment->size = end;
        }
    }
    remember(*segment);
    if (newest) out_.active = std::move(file);
    out_.segments.push_back(std::move(segment));
}

/// Makes the index of `segment`. Returns the end of its last whole record.
std::uint64_t Recovery::scan(const StoreFile& file, Segment& segment) {
    std::string buffer;
    SegmentScanner scanner(file, buffer, segment.seed, sizeof(SegmentHead), segment.size);
    std::map<std::string, EventId, std::less<>> last;
    while (const auto record = scanner.next()) {
        auto before = last.find(record->name);
        if (before == last.end()) {
            const auto known = out_.channels.find(record->name);
            before = last.emplace(record->name,
                                  known == out_.channels.end() ? EventId{} : known->second.end.last)
                         .first;
        }
        segment.index.add(*record, scanner.offset(), before->second);
        segment.index.add_given_of(*record, scanner.offset());
        before->second = record->head.last;
    }
    if (scanner.damaged() > 0) {
        out_.damaged += scanner.damaged();
        out_.notes.push_back(fmt::format("{} is damaged in {} {}; the events there are lost",
                                         files_.path(segment_name(segment.number)),
                                         scanner.damaged(),
                                         scanner.damaged() == 1 ? "place" : "places"));
    }
    return scanner.end_of_records();
}

/// Keys of before are too old.
std::uint64_t Recovery::keys_since() const {
    const auto now = unix_ms(), age = static_cast<std::uint64_t>(options_.key_age.count());
    return now - std::min(now, age);
}

/// Where its channels and sources end, and its recent keys.
void Recovery::remember(Segment& segment) {
    const auto since = keys_since();
    for (const auto& key : segment.index.keys()) {
        if (key.time >= since) out_.recent_keys.push_back(key);
    }
    if (segment.indexed)
        segment.index.forget_keys(); // otherwise, they are written to its index file
    for (const auto& [name, run] : segment.index.runs()) {
        auto& stored = out_.channels.try_emplace(name, StoredChannel{name, {}, {}}).first->second;
        stored.end = stored.assigned = {run.next, run.last};
    }
    for (const auto& [source, place] : segment.index.places())
        out_.places.insert_or_assign(source, place);
}

} // namespace

RecoveredSegments recover_segments(StoreFiles& files, const StoreOptions& options) {
    return Recovery(files, options).run();
}

} // namespace sse
