#include "check/format_scan.hpp"

#include "base/printable.hpp"
#include "base/utf8.hpp"

#include <algorithm>
#include <charconv>

namespace sse::checks {

namespace {

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

std::string lowercase(std::string_view text) {
    std::string out(text);
    for (auto& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return out;
}

bool is_field(std::string_view name) {
    return name == "data" || name == "event" || name == "id" || name == "retry";
}

/// `name` was meant to be a field: ` data`, `Data`, `data `.
bool is_misspelt(std::string_view name) {
    while (!name.empty() && (name.front() == ' ' || name.front() == '\t')) name.remove_prefix(1);
    while (!name.empty() && (name.back() == ' ' || name.back() == '\t')) name.remove_suffix(1);
    return is_field(lowercase(name));
}

} // namespace

void FormatScan::note(std::vector<BadLine>& list) const {
    if (list.size() < FormatNotes::max_lines) list.push_back({number_, printable(line_, 60)});
}

void FormatScan::feed(std::string_view bytes) {
    while (!bytes.empty()) {
        if (skip_lf_) {
            skip_lf_ = false;
            if (bytes.front() == '\n') {
                bytes.remove_prefix(1);
                continue;
            }
        }
        const auto end = std::min(bytes.find_first_of("\r\n"), bytes.size());
        const auto part = bytes.substr(0, end);
        if (line_.size() < kept_bytes) line_.append(part.substr(0, kept_bytes - line_.size()));
        line_bytes_ += part.size();
        bytes.remove_prefix(end);
        if (bytes.empty()) return;
        skip_lf_ = bytes.front() == '\r';
        bytes.remove_prefix(1);
        end_line();
    }
}

void FormatScan::end_line() {
    std::string_view line = line_;
    if (line.starts_with(byte_order_mark)) {
        note(notes_.byte_order_marks);
        if (number_ == 1) line.remove_prefix(byte_order_mark.size());
    }
    if (line_bytes_ <= kept_bytes && !is_utf8(line)) note(notes_.invalid_utf8);
    if (line.empty()) {
        end_block();
    } else if (line.front() == ':') {
        ++comments_;
    } else {
        in_block_ = true;
        block_bytes_ += line_bytes_;
        const auto colon = line.find(':');
        const auto name = line.substr(0, colon);
        auto value = colon == line.npos ? std::string_view() : line.substr(colon + 1);
        if (value.starts_with(' ')) value.remove_prefix(1);
        if (name == "data") {
            has_data_ = true;
            ++notes_.data_lines;
            if (value.starts_with("data:") || value.starts_with("event:")) note(notes_.doubled);
        } else if (name == "event") {
            type_line_ = {number_, printable(line_, 60)};
        } else if (name == "id") {
            if (value.find('\0') != value.npos) note(notes_.nul_ids);
        } else if (name == "retry") {
            std::uint64_t ms = 0;
            const auto [stop, error] =
                std::from_chars(value.data(), value.data() + value.size(), ms);
            if (value.empty() || stop != value.data() + value.size()) note(notes_.bad_retries);
            else if (error == std::errc()) notes_.retry_ms = ms;
        } else if (is_misspelt(name)) {
            note(notes_.misspelt_fields);
        } else {
            note(notes_.unknown_fields);
        }
    }
    ++number_;
    line_.clear();
    line_bytes_ = 0;
}

void FormatScan::end_block() {
    if (type_line_.number != 0 && !has_data_ && notes_.without_data.size() < FormatNotes::max_lines)
        notes_.without_data.push_back(type_line_);
    type_line_ = {};
    if (block_bytes_ > large_event) note(notes_.large);
    in_block_ = has_data_ = false;
    block_bytes_ = 0;
}

void FormatScan::finish() {
    if (line_bytes_ > 0) end_line();
    notes_.unfinished_event = has_data_;
}

} // namespace sse::checks
