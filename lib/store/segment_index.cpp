#include "store/segment_index.hpp"

#include "base/keyed_hash.hpp"
#include "store/crc32c.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

namespace sse {

namespace {

/// Bytes of a channel's own records from one point to the next: half of them are read in vain.
constexpr std::uint64_t own_bytes = 64 * 1024;
/// Bytes of the segment between two records of a channel that are not read over.
constexpr std::uint64_t other_bytes = 256 * 1024;

/// The first bytes of an index file.
struct IndexHead {
    std::uint64_t magic = expected_magic;
    std::uint32_t crc = 0; ///< of the rest of the head, and of the part before ids and keys
    std::uint32_t seed = 0;
    std::uint64_t segment_bytes = 0;
    std::uint64_t size = 0; ///< of that part
    std::uint64_t keys_crc = 0;
    std::uint64_t ids = 0, keys = 0;
    std::uint64_t events = 0, first_time = 0, last_time = 0;

    static constexpr std::uint64_t expected_magic = 0x32'7865'646E'6965'73; // "seindex2"
};

constexpr auto index_checked_from = offsetof(IndexHead, seed);

struct GivenId {
    std::uint64_t hash, offset;
};

template <typename T>
void put(std::string& out, const T& value) {
    out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

void put_text(std::string& out, std::string_view text) {
    put(out, static_cast<std::uint32_t>(text.size()));
    out.append(text);
}

/// Reads values from the front of bytes whose checksum was verified. Throws nothing: if a value is
/// missing, `whole` becomes false.
struct Values {
    std::string_view rest;
    bool whole = true;

    template <typename T>
    T take() {
        T value{};
        if (rest.size() < sizeof(T)) whole = false;
        else std::memcpy(&value, rest.data(), sizeof(T));
        rest.remove_prefix(std::min(rest.size(), sizeof(T)));
        return value;
    }
    std::string text() {
        const auto size = take<std::uint32_t>();
        if (rest.size() < size) whole = false;
        std::string out(rest.substr(0, size));
        rest.remove_prefix(std::min<std::size_t>(rest.size(), size));
        return out;
    }
};

} // namespace

const SegmentIndex::Point& SegmentIndex::Run::point_at(std::uint64_t sequence) const {
    const auto after = std::upper_bound(
        points.begin(), points.end(), sequence,
        [](std::uint64_t wanted, const Point& point) { return wanted < point.sequence; });
    return after == points.begin() ? *after : *std::prev(after);
}

const SegmentIndex::Point& SegmentIndex::Run::point_before(EventId id) const {
    const auto after =
        std::lower_bound(points.begin(), points.end(), id,
                         [](const Point& point, EventId wanted) { return point.before < wanted; });
    return after == points.begin() ? *after : *std::prev(after);
}

std::uint64_t SegmentIndex::hash(std::string_view channel, std::string_view id) const {
    return keyed_hash(id, {seed_, keyed_hash(channel, {seed_, 0})});
}

void SegmentIndex::add(const RecordView& record, std::uint64_t offset, EventId last_before) {
    if (first_time_ == 0) first_time_ = record.head.time;
    last_time_ = std::max(last_time_, record.head.time);
    if (!record.source.empty()) places_.insert_or_assign(std::string(record.source), record.place);
    if (record.head.count == 0) return;
    auto found = runs_.find(record.name);
    if (found == runs_.end()) found = runs_.emplace(record.name, Run{}).first;
    auto& run = found->second;
    const bool begins = run.points.empty() || run.bytes - run.points.back().bytes >= own_bytes ||
                        offset - run.end >= other_bytes || run.next != record.head.first;
    if (begins) run.points.push_back({record.head.first, last_before, run.bytes, offset});
    run.next = record.end();
    run.bytes += record.head.size;
    run.end = offset + record.head.size;
    run.last = record.head.last;
    events_ += record.head.count;
    if (!record.key.empty()) {
        keys_.push_back({key_hash(record.name, record.key), record.head.time, record.head.first,
                         record.head.count});
    }
}

void SegmentIndex::add_given(std::string_view channel, std::string_view id, std::uint64_t offset) {
    given_.insert_or_assign(hash(channel, id), offset);
}

void SegmentIndex::add_given_of(const RecordView& record, std::uint64_t offset) {
    const auto batch = record.batch();
    for (std::size_t i = 0; batch && i < batch->size(); ++i) {
        if (!batch->generated(i) && !batch->id(i).empty())
            add_given(record.name, batch->id(i), offset);
    }
}

const SegmentIndex::Run* SegmentIndex::run(std::string_view channel) const {
    const auto found = runs_.find(channel);
    return found == runs_.end() ? nullptr : &found->second;
}

std::optional<std::uint64_t> SegmentIndex::find_given(std::string_view channel, std::string_view id,
                                                      const StoreFile* file) const {
    const auto wanted = hash(channel, id);
    if (const auto found = given_.find(wanted); found != given_.end()) return found->second;
    if (file == nullptr) return std::nullopt;
    std::uint64_t begin = 0, end = stored_ids_;
    while (begin < end) {
        const auto middle = begin + (end - begin) / 2;
        GivenId at{};
        std::array<char, sizeof(at)> bytes;
        if (file->read(bytes.data(), bytes.size(), ids_at_ + middle * sizeof(at)) < bytes.size())
            return std::nullopt;
        std::memcpy(&at, bytes.data(), sizeof(at));
        if (at.hash == wanted) return at.offset;
        if (at.hash < wanted) begin = middle + 1;
        else end = middle;
    }
    return std::nullopt;
}

std::string SegmentIndex::encode(std::uint64_t segment_bytes) const {
    std::string body;
    put(body, static_cast<std::uint32_t>(runs_.size()));
    for (const auto& [name, run] : runs_) {
        put_text(body, name);
        put(body, run.next);
        put(body, run.bytes);
        put(body, run.end);
        put(body, run.last);
        put(body, static_cast<std::uint32_t>(run.points.size()));
        for (const auto& point : run.points) put(body, point);
    }
    put(body, static_cast<std::uint32_t>(places_.size()));
    for (const auto& [source, place] : places_) {
        put_text(body, source);
        put_text(body, place);
    }
    std::vector<GivenId> ids;
    ids.reserve(given_.size());
    for (const auto& [id, offset] : given_) ids.push_back({id, offset});
    std::sort(ids.begin(), ids.end(),
              [](const GivenId& a, const GivenId& b) { return a.hash < b.hash; });
    IndexHead head;
    head.seed = seed_;
    head.segment_bytes = segment_bytes;
    head.size = body.size();
    head.ids = ids.size();
    head.keys = keys_.size();
    const std::string_view keys(reinterpret_cast<const char*>(keys_.data()),
                                keys_.size() * sizeof(StoredKey));
    head.keys_crc = crc32c(0, keys);
    head.events = events_;
    head.first_time = first_time_;
    head.last_time = last_time_;
    std::string out;
    put(out, head);
    head.crc = crc32c(crc32c(0, std::string_view(out).substr(index_checked_from)), body);
    out.clear();
    put(out, head);
    out.append(body);
    for (const auto& id : ids) put(out, id);
    return out.append(keys);
}

void SegmentIndex::release_ids(const std::string& encoded) {
    stored_ids_ = given_.size();
    IndexHead head;
    std::memcpy(&head, encoded.data(), sizeof(head));
    ids_at_ = sizeof(head) + head.size;
    forget_keys();
    std::unordered_map<std::uint64_t, std::uint64_t>().swap(given_);
}

std::optional<SegmentIndex> SegmentIndex::load(const StoreFile& file, std::uint32_t seed,
                                               std::uint64_t segment_bytes,
                                               std::uint64_t keys_since) {
    std::string bytes(sizeof(IndexHead), '\0');
    IndexHead head;
    if (file.read(bytes.data(), bytes.size(), 0) < bytes.size()) return std::nullopt;
    std::memcpy(&head, bytes.data(), sizeof(head));
    const auto size = file.size();
    if (head.magic != IndexHead::expected_magic || head.seed != seed ||
        head.segment_bytes != segment_bytes || head.size > size || head.ids > size ||
        head.keys > size ||
        sizeof(head) + head.size + head.ids * sizeof(GivenId) + head.keys * sizeof(StoredKey) !=
            size) {
        return std::nullopt;
    }
    std::string body(head.size, '\0');
    if (file.read(body.data(), body.size(), sizeof(head)) < body.size()) return std::nullopt;
    if (crc32c(crc32c(0, std::string_view(bytes).substr(index_checked_from)), body) != head.crc)
        return std::nullopt;
    SegmentIndex index(seed);
    Values in{body};
    for (auto runs = in.take<std::uint32_t>(); runs > 0 && in.whole; --runs) {
        auto name = in.text();
        Run run;
        run.next = in.take<std::uint64_t>();
        run.bytes = in.take<std::uint64_t>();
        run.end = in.take<std::uint64_t>();
        run.last = in.take<EventId>();
        const auto points = in.take<std::uint32_t>();
        if (points == 0 || points > in.rest.size() / sizeof(Point)) return std::nullopt;
        run.points.resize(points);
        for (auto& point : run.points) point = in.take<Point>();
        index.runs_.emplace_hint(index.runs_.end(), std::move(name), std::move(run));
    }
    for (auto places = in.take<std::uint32_t>(); places > 0 && in.whole; --places) {
        auto source = in.text();
        index.places_.insert_or_assign(std::move(source), in.text());
    }
    if (!in.whole) return std::nullopt;
    index.events_ = head.events;
    index.first_time_ = head.first_time;
    index.last_time_ = head.last_time;
    index.stored_ids_ = head.ids;
    index.ids_at_ = sizeof(head) + head.size;
    if (head.keys > 0 && head.last_time >= keys_since) {
        std::string keys(head.keys * sizeof(StoredKey), '\0');
        const auto at = index.ids_at_ + head.ids * sizeof(GivenId);
        if (file.read(keys.data(), keys.size(), at) < keys.size() ||
            crc32c(0, keys) != head.keys_crc)
            return std::nullopt;
        index.keys_.resize(head.keys);
        std::memcpy(index.keys_.data(), keys.data(), keys.size());
    }
    return index;
}

} // namespace sse
