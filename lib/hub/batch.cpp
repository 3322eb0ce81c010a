#include "hub/batch.hpp"

#include "base/trimmed.hpp"
#include "protocol/chunked.hpp"
#include "protocol/encoder.hpp"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <utility>

namespace sse {

namespace {

constexpr std::string_view id_name = "id: ";
constexpr std::size_t block_tail = 2; // LF of the last line, and the blank line
constexpr std::size_t chunk_tail = 2; // CRLF
// Of the bit fields of an entry; the limits of events and ids are far below.
constexpr std::uint32_t most_id_size = 0xFF'FFFF, most_head = 0x7F;

} // namespace

void Batch::add(const EventView& event, bool generated) {
    block_.clear();
    encode(event, block_);
    if (!event.id) return add_block(0);
    const auto end = block_.size() - block_tail;
    auto line = end - event.id->size() - id_name.size();
    // Replacing ill-formed UTF-8 may have made the id longer.
    if (block_[line - 1] != '\n') line = block_.rfind('\n', end - 1) + 1;
    add_block(end - line - id_name.size(), generated);
}

void Batch::add_comment(std::string_view text) {
    block_.clear();
    encode_comment(text, block_);
    add_block(0);
}

void Batch::add_retry(std::chrono::milliseconds retry) {
    block_.clear();
    encode_retry(retry, block_);
    add_block(0);
}

void Batch::add_text(std::string_view text) {
    block_.assign(text);
    add_block(0);
}

void Batch::add_block(std::size_t id_size, bool generated) {
    const auto before = chunks_.size();
    append_chunk(block_, chunks_);
    const auto head = chunks_.size() - before - block_.size() - chunk_tail;
    entries_.push_back({static_cast<std::uint32_t>(chunks_.size()),
                        static_cast<std::uint32_t>(id_size) & most_id_size,
                        static_cast<std::uint32_t>(head) & most_head, generated ? 1U : 0U});
}

EventId Batch::renumber(EventId last) {
    auto before = last;
    for (std::size_t i = 0; i < size(); ++i) {
        if (!generated(i)) continue;
        const auto own = parse_event_id(id(i)).value_or(EventId{});
        if (own <= before) return renumber_each(last);
        before = own;
    }
    seal();
    return before;
}

EventId Batch::renumber_each(EventId last) {
    Batch out;
    for (std::size_t i = 0; i < size(); ++i) {
        if (generated(i)) {
            const auto own = parse_event_id(id(i)).value_or(EventId{});
            last = own > last ? own : EventId{last.ms, last.n + 1};
        }
        out.add_renumbered(*this, i, last);
    }
    out.seal();
    out.first = first;
    *this = std::move(out);
    return last;
}

/// An entry of `from`, with `id` if its id is a generated one.
void Batch::add_renumbered(const Batch& from, std::size_t index, EventId id) {
    block_ = from.block(index);
    std::size_t id_size = from.entries_[index].id_size;
    if (from.generated(index)) {
        const auto text = fmt::format("{}-{}", id.ms, id.n);
        block_.resize(block_.size() - block_tail - id_size);
        block_.append(text).append("\n\n");
        id_size = text.size();
    }
    add_block(id_size, from.generated(index));
}

void Batch::number(EventId first_id) {
    Batch out;
    out.chunks_.reserve(chunks_.size());
    out.entries_.reserve(entries_.size());
    for (std::size_t i = 0; i < size(); ++i)
        out.add_renumbered(*this, i, {first_id.ms, first_id.n + i});
    out.seal();
    out.first = first;
    *this = std::move(out);
}

std::optional<Batch> Batch::restore(std::string_view index, std::string_view chunks) {
    Batch out;
    out.entries_.resize(index.size() / sizeof(Entry));
    if (out.entries_.empty() || index.size() % sizeof(Entry) != 0) return std::nullopt;
    std::memcpy(out.entries_.data(), index.data(), index.size());
    std::size_t begin = 0;
    for (const auto& entry : out.entries_) {
        const std::size_t id = entry.id_size;
        const auto framing = entry.head + chunk_tail + (id > 0 ? id + block_tail : 0);
        if (entry.end < begin || entry.end > chunks.size() || entry.end - begin < framing)
            return std::nullopt;
        begin = entry.end;
    }
    if (begin != chunks.size()) return std::nullopt;
    out.chunks_ = chunks;
    return out;
}

void Batch::seal() {
    std::string().swap(block_);
    chunks_.shrink_to_fit();
    entries_.shrink_to_fit();
}

std::string_view Batch::chunk(std::size_t index) const {
    const auto begin = offset(index);
    return std::string_view(chunks_).substr(begin, entries_[index].end - begin);
}

std::string_view Batch::block(std::size_t index) const {
    auto bytes = chunk(index);
    bytes.remove_prefix(entries_[index].head);
    bytes.remove_suffix(chunk_tail);
    return bytes;
}

std::string_view Batch::id(std::size_t index) const {
    const auto size = entries_[index].id_size;
    if (size == 0) return {};
    const auto bytes = block(index);
    return trimmed(bytes.substr(bytes.size() - block_tail - size, size));
}

std::size_t Batch::entry_at(std::size_t offset) const {
    const auto ends_after = [](std::size_t at, const Entry& e) { return at < e.end; };
    const auto it = std::upper_bound(entries_.begin(), entries_.end(), offset, ends_after);
    return static_cast<std::size_t>(it - entries_.begin());
}

} // namespace sse
