#include "redis/redis_entry.hpp"

#include <charconv>
#include <fmt/format.h>
#include <utility>

namespace sse {

namespace {

/// Takes the words of a line, one after the other.
class Words {
public:
    explicit Words(std::string_view line)
        : rest_(line) {}
    std::string_view word() {
        const auto end = rest_.find(' ');
        const auto word = rest_.substr(0, end);
        rest_.remove_prefix(end == rest_.npos ? rest_.size() : end + 1);
        return word;
    }
    std::uint64_t number() {
        const auto text = word();
        std::uint64_t value = 0;
        const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
        if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) good_ = false;
        return value;
    }
    EventId id() {
        const auto id = parse_event_id(word());
        if (!id) good_ = false;
        return id.value_or(EventId{});
    }
    std::string_view rest() const { return rest_; }
    bool good() const { return good_; }

private:
    std::string_view rest_;
    bool good_ = true;
};

void read_head(Words& words, RedisEntry& entry) {
    entry.first = words.number();
    entry.count = words.number();
    entry.bytes = words.number();
    entry.session = words.word();
    entry.number = words.number();
    entry.key = words.rest();
}

bool is_whole(const RedisEntry& entry) {
    return entry.count > 0 && entry.last.n + 1 >= entry.count &&
           entry.index.size() == Batch::index_bytes_of(entry.count);
}

} // namespace

std::string text_of(EventId id) { return fmt::format("{}-{}", id.ms, id.n); }

std::shared_ptr<Batch> RedisEntry::batch() const {
    auto restored = Batch::restore(index, chunks);
    if (!restored || restored->size() != count) return nullptr;
    auto shared = std::make_shared<Batch>(std::move(*restored));
    shared->number(first_id());
    shared->first = first;
    return shared;
}

std::optional<RedisEntry> parse_entry(RedisReply& item) {
    if (!item.is_array(2) || !item.items[1].is_array(6)) return std::nullopt;
    auto& fields = item.items[1].items;
    const auto id = parse_event_id(item.items[0].text);
    if (!id || fields[0].text != "h" || fields[2].text != "i" || fields[4].text != "d")
        return std::nullopt;
    RedisEntry entry;
    entry.last = *id;
    Words words(fields[1].text);
    read_head(words, entry);
    entry.index = std::move(fields[3].text);
    entry.chunks = std::move(fields[5].text);
    if (!words.good() || !is_whole(entry)) return std::nullopt;
    return entry;
}

std::optional<RedisMessage> parse_message(std::string_view text) {
    const auto end = text.find('\n');
    if (end == text.npos) return std::nullopt;
    RedisMessage out;
    Words words(text.substr(0, end));
    out.previous = words.id();
    out.entry.last = words.id();
    read_head(words, out.entry);
    text.remove_prefix(end + 1);
    const auto index = Batch::index_bytes_of(out.entry.count);
    if (!words.good() || text.size() < index) return std::nullopt;
    out.entry.index = text.substr(0, index);
    out.entry.chunks = text.substr(index);
    if (!is_whole(out.entry)) return std::nullopt;
    return out;
}

} // namespace sse
