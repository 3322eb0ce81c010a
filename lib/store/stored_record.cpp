#include "store/stored_record.hpp"

#include "store/crc32c.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>
#include <memory>

namespace sse {

static_assert(std::endian::native == std::endian::little,
              "records are stored as they are in memory");

namespace {

constexpr auto record_checked_from = offsetof(RecordHead, size);

std::size_t parts_size(const RecordHead& head) {
    return sizeof(RecordHead) + head.name_size + head.key_size + head.source_size +
           head.place_size + Batch::index_bytes_of(head.count);
}

} // namespace

std::shared_ptr<Batch> RecordView::batch() const {
    auto restored = Batch::restore(index, chunks);
    if (!restored || restored->size() != head.count) return nullptr;
    auto shared = std::make_shared<Batch>(std::move(*restored));
    shared->first = head.first;
    return shared;
}

void set_sizes(RecordView& record) {
    auto& head = record.head;
    head.name_size = static_cast<std::uint16_t>(record.name.size());
    head.key_size = static_cast<std::uint16_t>(record.key.size());
    head.source_size = static_cast<std::uint16_t>(record.source.size());
    head.place_size = static_cast<std::uint16_t>(record.place.size());
    head.size = static_cast<std::uint32_t>(parts_size(head) + record.chunks.size());
}

std::uint32_t record_crc(const RecordView& record, std::uint32_t seed) {
    std::array<char, sizeof(RecordHead)> head;
    std::memcpy(head.data(), &record.head, head.size());
    auto crc = crc32c(seed, std::string_view(head.data(), head.size()).substr(record_checked_from));
    for (const auto part :
         {record.name, record.key, record.source, record.place, record.index, record.chunks}) {
        crc = crc32c(crc, part);
    }
    return crc;
}

std::optional<RecordHead> parse_record_head(std::string_view bytes) {
    RecordHead head;
    if (bytes.size() < sizeof(head)) return std::nullopt;
    std::memcpy(&head, bytes.data(), sizeof(head));
    if (head.magic != RecordHead::expected_magic || head.size < parts_size(head))
        return std::nullopt;
    return head;
}

std::string_view record_name(const RecordHead& head, std::string_view bytes) {
    return bytes.substr(sizeof(RecordHead), head.name_size);
}

std::optional<RecordView> parse_record(std::string_view bytes, std::uint32_t seed) {
    const auto head = parse_record_head(bytes);
    if (!head || head->size != bytes.size()) return std::nullopt;
    if (crc32c(seed, bytes.substr(record_checked_from)) != head->crc) return std::nullopt;
    RecordView record;
    record.head = *head;
    bytes.remove_prefix(sizeof(RecordHead));
    const auto take = [&](std::size_t size) {
        const auto part = bytes.substr(0, size);
        bytes.remove_prefix(size);
        return part;
    };
    record.name = take(head->name_size);
    record.key = take(head->key_size);
    record.source = take(head->source_size);
    record.place = take(head->place_size);
    record.index = take(Batch::index_bytes_of(head->count));
    record.chunks = bytes;
    return record;
}

} // namespace sse
