#include "store/segments.hpp"

#include "base/random.hpp"
#include "base/unix_time.hpp"

#include <algorithm>
#include <set>
#include <system_error>

namespace sse {

namespace {

/// The retention removes whole segments, so a small one asks for small segments.
constexpr std::uint64_t segments_of_retention = 8;
constexpr std::uint64_t least_segment_bytes = 64 * 1024;

std::uint64_t sealed_bytes(const StoreOptions& options) {
    if (options.retain.bytes == 0) return options.segment_bytes;
    return std::clamp(options.retain.bytes / segments_of_retention, least_segment_bytes,
                      std::max(least_segment_bytes, options.segment_bytes));
}

} // namespace

Segments::Segments(StoreFiles& files, const StoreOptions& options)
    : Segments(files, options, recover_segments(files, options)) {}

Segments::Segments(StoreFiles& files, const StoreOptions& options, RecoveredSegments recovered)
    : files_(files)
    , options_(options)
    , segment_bytes_(sealed_bytes(options))
    , lock_(std::move(recovered.lock))
    , notes_(std::move(recovered.notes))
    , damaged_(recovered.damaged)
    , recent_keys_(std::move(recovered.recent_keys))
    , segments_(std::move(recovered.segments))
    , active_(std::move(recovered.active))
    , channels_(std::move(recovered.channels))
    , places_(std::move(recovered.places)) {
    if (!active_) {
        roll(unix_ms(), true);
    } else {
        active_size_ = segments_.back()->size;
        active_seed_ = segments_.back()->seed;
    }
}

// ---- finding events ----

StoredChannel& Segments::channel(std::string_view name) {
    const std::lock_guard lock(mutex_);
    const auto found = channels_.find(name);
    if (found != channels_.end()) return found->second;
    return channels_.emplace(name, StoredChannel{std::string(name), {}, {}}).first->second;
}

ChannelEnd Segments::end(const StoredChannel& channel) const {
    const std::lock_guard lock(mutex_);
    return channel.end;
}

std::uint64_t Segments::begin(const StoredChannel& channel) const {
    const std::lock_guard lock(mutex_);
    for (const auto& segment : segments_) {
        if (const auto* const run = segment->index.run(channel.name)) return run->first();
    }
    return channel.end.next;
}

std::vector<std::string> Segments::channels() const {
    const std::lock_guard lock(mutex_);
    std::set<std::string> names;
    for (const auto& segment : segments_) {
        for (const auto& [name, run] : segment->index.runs()) names.insert(name);
    }
    return {names.begin(), names.end()};
}

std::optional<std::string> Segments::place(const std::string& source) const {
    const std::lock_guard lock(mutex_);
    const auto found = places_.find(source);
    return found == places_.end() ? std::nullopt : std::optional(found->second);
}

SegmentSlice Segments::slice(const Segment& segment, std::string_view channel,
                             const SegmentIndex::Point* point) {
    const auto& run = *segment.index.run(channel);
    const auto index = static_cast<std::size_t>(point - run.points.data());
    const bool last = index + 1 == run.points.size();
    return {segment.number, index, segment.seed, point->offset,
            last ? run.end : run.points[index + 1].offset};
}

std::optional<SegmentSlice> Segments::slice_at(const StoredChannel& channel,
                                               std::uint64_t sequence) const {
    const std::lock_guard lock(mutex_);
    for (const auto& segment : segments_) {
        const auto* const run = segment->index.run(channel.name);
        if (run && run->next > sequence)
            return slice(*segment, channel.name, &run->point_at(sequence));
    }
    return std::nullopt;
}

std::optional<SegmentSlice> Segments::slice_with(const StoredChannel& channel, EventId id) const {
    const std::lock_guard lock(mutex_);
    for (const auto& segment : segments_) {
        const auto* const run = segment->index.run(channel.name);
        if (run && run->last >= id) return slice(*segment, channel.name, &run->point_before(id));
    }
    return std::nullopt;
}

std::deque<std::unique_ptr<Segment>>::const_iterator Segments::at(std::uint64_t number) const {
    return std::lower_bound(
        segments_.begin(), segments_.end(), number,
        [](const auto& segment, std::uint64_t wanted) { return segment->number < wanted; });
}

std::optional<SegmentSlice> Segments::slice_after(const StoredChannel& channel,
                                                  const SegmentSlice& before) const {
    const std::lock_guard lock(mutex_);
    for (auto it = at(before.segment); it != segments_.end(); ++it) {
        const auto* const run = (*it)->index.run(channel.name);
        const auto point = (*it)->number == before.segment ? before.point + 1 : 0;
        if (run && point < run->points.size())
            return slice(**it, channel.name, &run->points[point]);
    }
    return std::nullopt;
}

std::uint64_t Segments::tail_begin(const StoredChannel& channel, std::uint64_t max_events,
                                   std::uint64_t max_bytes) const {
    const std::lock_guard lock(mutex_);
    const auto next = channel.end.next;
    auto begin = next;
    std::uint64_t bytes = 0; // of the later segments
    for (auto it = segments_.rbegin(); it != segments_.rend(); ++it) {
        const auto* const run = (*it)->index.run(channel.name);
        if (!run) continue;
        for (auto point = run->points.rbegin(); point != run->points.rend(); ++point) {
            begin = point->sequence;
            if (next - begin >= max_events) return next - max_events;
            if (bytes + (run->bytes - point->bytes) >= max_bytes) return begin;
        }
        bytes += run->bytes;
    }
    return begin;
}

std::vector<SegmentSlice> Segments::slices_with_given(const StoredChannel& channel,
                                                      const std::string& id) const {
    std::vector<std::uint64_t>
        numbers; // of those with index files, which are read without the lock
    std::vector<SegmentSlice> found;
    const auto look = [&](const Segment& segment, const StoreFile* file) {
        const auto* const run = segment.index.run(channel.name);
        if (!run) return;
        if (const auto offset = segment.index.find_given(channel.name, id, file))
            found.push_back({segment.number, 0, segment.seed, *offset, run->end});
    };
    {
        const std::lock_guard lock(mutex_);
        for (auto it = segments_.rbegin(); it != segments_.rend(); ++it) {
            if ((*it)->indexed) numbers.push_back((*it)->number);
            else look(**it, nullptr);
        }
    }
    for (const auto number : numbers) {
        std::unique_ptr<StoreFile> file;
        try {
            file = files_.open(segment_index_name(number), StoreFiles::Mode::read_parts);
        } catch (const std::system_error&) { // removed meanwhile
            continue;
        }
        const std::lock_guard lock(mutex_);
        const auto it = at(number);
        if (it != segments_.end() && (*it)->number == number) look(**it, file.get());
    }
    return found;
}

std::unique_ptr<StoreFile> Segments::open(std::uint64_t segment) const {
    try {
        return files_.open(segment_name(segment), StoreFiles::Mode::read_parts);
    } catch (const std::system_error& e) {
        if (e.code() == std::errc::no_such_file_or_directory) return nullptr;
        throw;
    }
}

StoreSize Segments::size() const {
    const std::lock_guard lock(mutex_);
    StoreSize sum;
    sum.segments = segments_.size();
    for (const auto& segment : segments_) {
        sum.bytes += segment->size;
        sum.events += segment->index.events();
        if (sum.oldest == 0) sum.oldest = segment->index.first_time();
    }
    return sum;
}

std::shared_ptr<StoreFile> Segments::active_file() const {
    const std::lock_guard lock(mutex_);
    return active_;
}

// ---- writing ----

bool Segments::is_full(std::uint64_t bytes, std::uint64_t now_ms) const {
    const std::lock_guard lock(mutex_);
    const auto& active = *segments_.back();
    if (active.index.events() == 0) return false;
    const auto& retain = options_.retain;
    const auto age = static_cast<std::uint64_t>(retain.age.count());
    return active_size_ + bytes > segment_bytes_ ||
           (age > 0 && now_ms > active.created + age / segments_of_retention) ||
           (retain.events > 0 && active.index.events() >= retain.events / segments_of_retention);
}

void Segments::roll(std::uint64_t now_ms, bool sync) {
    std::uint64_t number = 1;
    std::map<std::string, std::string, std::less<>> places;
    {
        const std::lock_guard lock(mutex_);
        if (!segments_.empty()) number = segments_.back()->number + 1;
        places = places_;
    }
    SegmentHead head;
    head.seed = static_cast<std::uint32_t>(random_bits());
    head.number = number;
    head.created = now_ms;
    std::string bytes(reinterpret_cast<const char*>(&head), sizeof(head));
    auto segment = std::make_unique<Segment>(head.seed);
    // The places of sources outlive the segments that they were written to.
    for (const auto& [source, place] : places) {
        RecordView record;
        record.head.time = now_ms;
        record.source = source;
        record.place = place;
        set_sizes(record);
        record.head.crc = record_crc(record, head.seed);
        segment->index.add(record, bytes.size(), {});
        bytes.append(reinterpret_cast<const char*>(&record.head), sizeof(record.head));
        bytes.append(source).append(place);
    }
    const auto name = segment_name(number);
    std::shared_ptr<StoreFile> file = files_.open(name, StoreFiles::Mode::create);
    const std::string_view piece = bytes;
    file->write({&piece, 1}, 0);
    if (sync) {
        file->sync();
        files_.sync_directory();
    }
    segment->number = number;
    segment->created = now_ms;
    segment->size = bytes.size();
    active_size_ = segment->size;
    active_seed_ = segment->seed;
    const std::lock_guard lock(mutex_);
    segments_.push_back(std::move(segment));
    active_ = std::move(file);
}

void Segments::commit(std::span<const WrittenRecord> records) {
    const std::lock_guard lock(mutex_);
    auto& active = *segments_.back();
    for (const auto& written : records) {
        const auto& record = written.record;
        if (!record.source.empty())
            places_.insert_or_assign(std::string(record.source), record.place);
        active_size_ = written.offset + record.head.size;
        active.size = active_size_;
        if (!written.channel) continue;
        auto& end = written.channel->end;
        active.index.add(record, written.offset, end.last);
        end = {record.end(), record.head.last};
        const auto& batch = *written.batch;
        for (std::size_t i = 0; i < batch.size(); ++i) {
            if (batch.generated(i)) continue;
            if (const auto id = batch.id(i); !id.empty())
                active.index.add_given(record.name, id, written.offset);
        }
    }
}

void Segments::discard_rest() { active_file()->truncate(active_size_); }

// ---- removing ----

std::size_t Segments::expire(std::uint64_t now_ms) {
    const auto& retain = options_.retain;
    auto size = this->size();
    std::size_t removed = 0;
    for (;; ++removed) {
        std::uint64_t number = 0;
        {
            const std::lock_guard lock(mutex_);
            if (segments_.size() < 2) break;
            const auto& oldest = *segments_.front();
            const auto age = static_cast<std::uint64_t>(retain.age.count());
            const bool expired =
                (age > 0 && oldest.index.last_time() + age < now_ms) ||
                (retain.bytes > 0 && size.bytes > retain.bytes) ||
                (retain.events > 0 && size.events >= retain.events + oldest.index.events() &&
                 oldest.index.events() > 0);
            if (!expired) break;
            number = oldest.number;
            size.bytes -= oldest.size;
            size.events -= oldest.index.events();
            segments_.pop_front();
        }
        files_.remove(segment_name(number));
        files_.remove(segment_index_name(number));
    }
    return removed;
}

bool Segments::write_index(bool sync) {
    Segment* sealed = nullptr; // changed and removed on this thread only
    {
        const std::lock_guard lock(mutex_);
        const auto found = std::find_if(segments_.begin(), segments_.end() - 1,
                                        [](const auto& segment) { return !segment->indexed; });
        if (found == segments_.end() - 1) return false;
        sealed = found->get();
    }
    const auto bytes = sealed->index.encode(sealed->size);
    const auto name = segment_index_name(sealed->number);
    {
        const auto file = files_.open(name + ".new", StoreFiles::Mode::create);
        const std::string_view piece = bytes;
        file->write({&piece, 1}, 0);
        if (sync) file->sync();
    }
    files_.rename(name + ".new", name);
    const std::lock_guard lock(mutex_);
    sealed->index.release_ids(bytes);
    sealed->indexed = true;
    return true;
}

} // namespace sse
