#include "protocol/parser.hpp"

#include "base/error.hpp"
#include "base/utf8.hpp"
#include "protocol/line_ends.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <fmt/format.h>
#include <utility>

namespace sse {

namespace {

/// Bytes that are parsed at once: few enough to stay in the processor's cache while they are read
/// twice, and for their marks to be on the stack.
constexpr std::size_t most_slice = 64 * 1024;

/// The word at `at` has a byte that is NUL.
template <typename Word>
bool word_has_nul(const char* at) {
    constexpr auto ones = static_cast<Word>(0x0101010101010101),
                   high = static_cast<Word>(ones << 7);
    Word word = 0;
    std::memcpy(&word, at, sizeof word);
    return ((word - ones) & ~word & high) != 0;
}

/// As find('\0') != npos, for values that are short: calling memchr would take longer than to look.
bool has_nul(std::string_view value) {
    const char* const at = value.data();
    const auto size = value.size();
    if (size < 4) return value.find('\0') != value.npos;
    if (size < 8)
        return word_has_nul<std::uint32_t>(at) || word_has_nul<std::uint32_t>(at + size - 4);
    for (std::size_t i = 0; i + 8 < size; i += 8) {
        if (word_has_nul<std::uint64_t>(at + i)) return true;
    }
    return word_has_nul<std::uint64_t>(at + size - 8);
}

/// How many of `bytes` are parsed at once. Never ends inside a character.
std::size_t first_slice(std::string_view bytes) {
    if (bytes.size() <= most_slice) return bytes.size();
    std::size_t size = most_slice;
    while (size > most_slice - 3 && (static_cast<unsigned char>(bytes[size]) & 0xC0) == 0x80)
        --size;
    return size;
}

} // namespace

std::string_view to_string(ParseWarning warning) {
    switch (warning) {
    case ParseWarning::unknown_field: return "unknown field";
    case ParseWarning::bad_retry: return "retry is not a number";
    case ParseWarning::nul_in_id: return "id contains NUL";
    case ParseWarning::invalid_utf8: return "invalid UTF-8";
    case ParseWarning::unfinished_block:
    case ParseWarning::unfinished_event: return "unfinished block";
    }
    return "";
}

void Parser::Value::keep() {
    if (!set || copied) return;
    copy.assign(view);
    copied = true;
}

void Parser::Value::append_line(std::string_view value) {
    if (!set) return assign(value);
    keep();
    copy.push_back('\n');
    copy.append(value);
    size = copy.size();
}

Parser::Parser(Sink& sink, ParserOptions options)
    : sink_(sink)
    , options_(options) {}

void Parser::feed(std::string_view bytes) {
    if (bom_seen_ < bom.size()) bytes = skip_bom(bytes);
    while (!bytes.empty()) {
        const auto slice = bytes.substr(0, first_slice(bytes));
        feed_slice(slice);
        bytes.remove_prefix(slice.size());
    }
}

void Parser::feed_slice(std::string_view bytes) {
    const char* at = bytes.data(); // the line being read
    const char* const end = at + bytes.size();
    std::array<std::uint64_t, line_end_words(most_slice)>
        marks; // NOLINT: filled as far as it is read
    valid_slice_ = mark_line_ends(bytes, marks.data()) || is_utf8(bytes);
    // RULES.md, 20: an LF behind a CR belongs to it; the CR may have ended the last slice.
    const char* after_cr = std::exchange(skip_lf_, false) ? at : nullptr;
    for (std::size_t word = 0; word < line_end_words(bytes.size()); ++word) {
        const char* const block = bytes.data() + (64 * word);
        for (auto left = marks[word]; left != 0; left &= left - 1) {
            const char* const stop = block + std::countr_zero(left);
            if (stop == after_cr && *stop == '\n') {
                at = stop + 1;
                continue;
            }
            const std::string_view piece(at, static_cast<std::size_t>(stop - at));
            at = stop + 1;
            if (*stop == '\r') after_cr = at; // RULES.md, 22: processed now
            if (line_.empty()) parse_line(piece);
            else finish_line(piece);
        }
    }
    skip_lf_ = after_cr == end;
    if (at < end) {
        if (fits(line_.size() + static_cast<std::size_t>(end - at))) line_.append(at, end);
        else line_.assign(1, *at); // enough to tell the line's end from a blank line
    }
    data_.keep(), type_.keep(), id_.keep();
    valid_slice_ = false;
}

void Parser::finish() {
    if (!skipping_ && (in_block_ || !line_.empty())) { // RULES.md, 27
        const bool event = data_.set || line_ == "data" || line_.starts_with("data:");
        sink_.on_warning(event ? ParseWarning::unfinished_event : ParseWarning::unfinished_block,
                         line_);
    }
    line_.clear();
    data_.clear(), type_.clear(), id_.clear();
    in_block_ = skipping_ = skip_lf_ = false;
    bom_seen_ = 0;
}

/// Exactly one BOM, at the very start, also when split over feeds (RULES.md, 19).
std::string_view Parser::skip_bom(std::string_view bytes) {
    while (!bytes.empty() && bom_seen_ < bom.size()) {
        if (bytes.front() != bom[bom_seen_]) {
            line_.append(bom.substr(0, bom_seen_)); // the start of a BOM, and then not one: text
            bom_seen_ = bom.size();
            break;
        }
        ++bom_seen_;
        bytes.remove_prefix(1);
    }
    return bytes;
}

/// `piece` ends the line that earlier feeds began.
void Parser::finish_line(std::string_view piece) {
    if (!fits(line_.size() + piece.size())) return line_.clear();
    line_.append(piece);
    const bool valid = std::exchange(valid_slice_, false); // not all of it is of this slice
    parse_line(line_);
    data_.keep(), type_.keep(), id_.keep();
    line_.clear();
    valid_slice_ = valid;
}

void Parser::parse_line(std::string_view line) {
    if (line.empty()) return dispatch();
    if (!fits(line.size())) return;
    in_block_ = true;
    // The fields that nearly every line is (RULES.md, 25 and 29), before the general case below.
    if (line.size() > 5 && std::memcmp(line.data(), "data:", 5) == 0) {
        return data_.append_line(line.substr(line[5] == ' ' ? 6 : 5));
    }
    if (line.size() > 3 && std::memcmp(line.data(), "id:", 3) == 0) {
        return set_id(line.substr(line[3] == ' ' ? 4 : 3), line);
    }
    const auto colon = line.find(':');
    const auto name = line.substr(0, colon);
    auto value = colon == line.npos ? std::string_view{} : line.substr(colon + 1);
    if (colon == 0) return sink_.on_comment(decoded(value, valid_slice_, decoded_data_));
    if (value.starts_with(' ')) value.remove_prefix(1);
    if (name == "data") data_.append_line(value);
    else if (name == "event") type_.assign(value);
    else if (name == "id") set_id(value, line);
    else if (name == "retry") set_retry(value, line);
    else sink_.on_warning(ParseWarning::unknown_field, line);
}

/// RULES.md, 30.
void Parser::set_id(std::string_view value, std::string_view line) {
    if (has_nul(value)) sink_.on_warning(ParseWarning::nul_in_id, line);
    else id_.assign(value);
}

/// ASCII digits only, any number of them (RULES.md, 31).
void Parser::set_retry(std::string_view value, std::string_view line) {
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    if (value.empty() || !std::all_of(value.begin(), value.end(), digit)) {
        return sink_.on_warning(ParseWarning::bad_retry, line);
    }
    std::int64_t ms = 0;
    for (const char c : value) ms = std::min<std::int64_t>(ms * 10 + (c - '0'), max_retry.count());
    sink_.on_retry(std::chrono::milliseconds(ms));
}

void Parser::dispatch() {
    in_block_ = skipping_ = false;
    EventView event;
    if (id_.set) event.id = decoded(id_, decoded_id_); // also without data: RULES.md, 33
    if (data_.set) {                                   // RULES.md, 34 to 36
        event.data = decoded(data_, decoded_data_);
        if (type_.size > 0) event.type = decoded(type_, decoded_type_);
        sink_.on_event(event);
    } else if (event.id) {
        sink_.on_id(*event.id);
    }
    data_.clear(), type_.clear(), id_.clear(); // RULES.md, 37
}

inline std::string_view Parser::decoded(const Value& value, std::string& buffer) {
    if (valid_slice_ && !value.copied) return value.view;
    return decoded(value.get(), false, buffer);
}

/// Ill-formed UTF-8 becomes U+FFFD (RULES.md, 18). Whole values may be decoded by themselves:
/// ASCII, and so a line end or a colon, is never part of an ill-formed sequence.
std::string_view Parser::decoded(std::string_view bytes, bool valid, std::string& buffer) {
    if (valid || is_utf8(bytes)) return bytes;
    sink_.on_warning(ParseWarning::invalid_utf8, bytes);
    buffer.clear();
    append_utf8(bytes, buffer);
    return buffer;
}

/// False if the event being read is skipped.
bool Parser::fits(std::size_t line_bytes) {
    const auto held = data_.size + type_.size + id_.size;
    if (held + line_bytes <= options_.max_event_bytes && !skipping_) return true;
    skip_event();
    return false;
}

void Parser::skip_event() {
    if (skipping_) return;
    if (!sink_.on_too_large()) {
        throw Error(Errc::too_large,
                    fmt::format("an event is larger than {} bytes", options_.max_event_bytes));
    }
    data_.clear(), type_.clear(), id_.clear();
    skipping_ = true;
}

} // namespace sse
