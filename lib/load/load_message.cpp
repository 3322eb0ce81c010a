#include "load/load_message.hpp"

#include "base/error.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <utility>
#include <vector>

namespace sse {

namespace {

constexpr std::size_t head_bytes = 1 + sizeof(std::uint64_t);

[[noreturn]] void refuse() {
    throw Error(Errc::bad_input, "a process of the load run sent a damaged result");
}

class MessageWriter {
public:
    template <class T>
    void value(const T& value) {
        static_assert(std::is_trivially_copyable_v<T>);
        bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    template <class T>
    void list(const std::vector<T>& values) {
        static_assert(std::is_trivially_copyable_v<T>);
        value(values.size());
        bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
    }
    void text(const std::string& text) {
        value(text.size());
        bytes += text;
    }
    /// Only the buckets that have values.
    void histogram(const Histogram& histogram) {
        value(histogram.sum());
        value(histogram.max());
        std::vector<std::uint64_t> used;
        const auto& counts = histogram.counts();
        for (std::size_t i = 0; i < counts.size(); ++i) {
            if (counts[i] > 0) used.insert(used.end(), {i, counts[i]});
        }
        list(used);
    }

    std::string bytes;
};

class MessageReader {
public:
    explicit MessageReader(std::string_view bytes)
        : bytes_(bytes) {}
    template <class T>
    void value(T& value) {
        std::memcpy(&value, pop(sizeof value).data(), sizeof value);
    }
    template <class T>
    void list(std::vector<T>& values) {
        std::size_t size = 0;
        value(size);
        if (size > bytes_.size() / sizeof(T)) refuse();
        values.resize(size);
        if (size > 0) std::memcpy(values.data(), pop(size * sizeof(T)).data(), size * sizeof(T));
    }
    void text(std::string& text) {
        std::size_t size = 0;
        value(size);
        text = pop(size);
    }
    void histogram(Histogram& histogram) {
        constexpr std::size_t most_buckets = 64 * 1024;
        double sum = 0;
        std::chrono::nanoseconds max{};
        std::vector<std::uint64_t> used, counts;
        value(sum);
        value(max);
        list(used);
        for (std::size_t i = 0; i + 1 < used.size(); i += 2) {
            if (used[i] >= most_buckets) refuse();
            counts.resize(std::max<std::size_t>(counts.size(), used[i] + 1));
            counts[used[i]] = used[i + 1];
        }
        histogram = Histogram(std::move(counts), sum, max);
    }
    void end() const {
        if (!bytes_.empty()) refuse();
    }

private:
    std::string_view pop(std::size_t size) {
        if (size > bytes_.size()) refuse();
        const auto taken = bytes_.substr(0, size);
        bytes_.remove_prefix(size);
        return taken;
    }
    std::string_view bytes_;
};

/// The figures of a result but for its series, which comes in messages of its own.
template <class Result, class Function>
void for_each_value(Result& r, Function function) {
    function(r.subscribers), function(r.opened), function(r.open), function(r.failed);
    function(r.ended), function(r.broken), function(r.busy), function(r.silent);
    function(r.keyed_by_data), function(r.slow), function(r.left), function(r.storm_cut);
    function(r.storm_at), function(r.seconds), function(r.events), function(r.deliveries);
    function(r.bytes), function(r.untimed), function(r.knows_sent), function(r.client);
}

template <class Result, class Function>
void for_each_histogram(Result& r, Function function) {
    function(r.connect), function(r.head), function(r.first_event), function(r.storm);
    function(r.delivery), function(r.behind);
}

template <class Ledger, class Message>
void ledger_values(Ledger& ledger, Message& message) {
    message.list(ledger.events);
    message.list(ledger.parts);
    message.list(ledger.gaps);
    message.value(ledger.distinct);
    message.value(ledger.duplicates);
    message.value(ledger.repeated);
    message.value(ledger.is_numbered);
    message.value(ledger.has_ids);
}

} // namespace

std::string encode_message(LoadMessageKind kind, std::string_view body) {
    MessageWriter out;
    out.value(kind);
    out.value(std::uint64_t{body.size()});
    out.bytes += body;
    return std::move(out.bytes);
}

std::string encode(const LoadIntervalMessage& message) {
    MessageWriter out;
    out.value(message.interval);
    out.histogram(message.delays);
    return encode_message(LoadMessageKind::interval, out.bytes);
}

LoadIntervalMessage decode_interval(std::string_view body) {
    LoadIntervalMessage message;
    MessageReader in(body);
    in.value(message.interval);
    in.histogram(message.delays);
    in.end();
    return message;
}

std::string encode(const LoadShare& share) {
    MessageWriter out;
    for_each_value(share.result, [&](const auto& value) { out.value(value); });
    for_each_histogram(share.result, [&](const auto& histogram) { out.histogram(histogram); });
    out.value(share.result.failures.size());
    for (const auto& [why, count] : share.result.failures) {
        out.text(why);
        out.value(count);
    }
    out.list(share.delays);
    out.value(share.from_ns);
    out.value(share.ledgers.size());
    for (const auto& ledger : share.ledgers) ledger_values(ledger, out);
    return encode_message(LoadMessageKind::share, out.bytes);
}

LoadShare decode_share(std::string_view body) {
    LoadShare share;
    MessageReader in(body);
    for_each_value(share.result, [&](auto& value) { in.value(value); });
    for_each_histogram(share.result, [&](auto& histogram) { in.histogram(histogram); });
    std::size_t failures = 0, ledgers = 0;
    in.value(failures);
    for (std::size_t i = 0; i < failures; ++i) {
        std::string why;
        in.text(why);
        in.value(share.result.failures[why]);
    }
    in.list(share.delays);
    in.value(share.from_ns);
    in.value(ledgers);
    for (std::size_t i = 0; i < ledgers; ++i) ledger_values(share.ledgers.emplace_back(), in);
    in.end();
    return share;
}

std::optional<LoadMessages::Message> LoadMessages::next() {
    bytes_.erase(0, std::exchange(done_, 0));
    if (bytes_.size() < head_bytes) return std::nullopt;
    std::uint64_t size = 0;
    std::memcpy(&size, bytes_.data() + 1, sizeof size);
    if (size > most_bytes)
        throw Error(Errc::too_large, "a process of the load run sent too large a result");
    if (bytes_.size() - head_bytes < size) return std::nullopt;
    done_ = head_bytes + static_cast<std::size_t>(size);
    return Message{static_cast<LoadMessageKind>(bytes_[0]),
                   std::string_view(bytes_).substr(head_bytes, static_cast<std::size_t>(size))};
}

} // namespace sse
