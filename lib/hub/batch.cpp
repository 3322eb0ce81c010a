#include "hub/batch.hpp"

#include "base/trimmed.hpp"
#include "protocol/chunked.hpp"
#include "protocol/encoder.hpp"

#include <algorithm>

namespace sse {

namespace {

constexpr std::string_view id_name = "id: ";
constexpr std::size_t block_tail = 2; // LF of the last line, and the blank line
constexpr std::size_t chunk_tail = 2; // CRLF

} // namespace

void Batch::add(const EventView& event) {
    block_.clear();
    encode(event, block_);
    if (!event.id) return add_block(0);
    const auto end = block_.size() - block_tail;
    auto line = end - event.id->size() - id_name.size();
    // Replacing ill-formed UTF-8 may have made the id longer.
    if (block_[line - 1] != '\n') line = block_.rfind('\n', end - 1) + 1;
    add_block(end - line - id_name.size());
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

void Batch::add_block(std::size_t id_size) {
    const auto before = chunks_.size();
    append_chunk(block_, chunks_);
    const auto head = chunks_.size() - before - block_.size() - chunk_tail;
    entries_.push_back({static_cast<std::uint32_t>(chunks_.size()),
                        static_cast<std::uint32_t>(id_size), static_cast<std::uint8_t>(head)});
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
