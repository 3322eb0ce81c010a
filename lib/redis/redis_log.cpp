#include "redis/redis_log.hpp"

#include "base/error.hpp"
#include "base/keyed_hash.hpp"
#include "base/posix.hpp"
#include "base/unix_time.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <unistd.h>
#include <utility>

namespace sse {

namespace {

/// Interval between checks of drafts that wait for something other than a reply.
constexpr auto resume_every = std::chrono::milliseconds(100);
constexpr auto idle_wait = std::chrono::milliseconds(1'000);

/// A name that no other process has, made from the time and from random numbers of this process.
std::string unique_name() {
    return fmt::format("{:x}", keyed_hash(fmt::format("{} {}", unix_ms(), ::getpid())));
}

/// One channel of the log, as its Channel sees it. Any thread.
class RedisChannel final : public ChannelLog {
public:
    RedisChannel(RedisLog& log, std::shared_ptr<RedisStream> stream, std::weak_ptr<LogSink> sink)
        : log_(log)
        , stream_(std::move(stream))
        , sink_(std::move(sink)) {}

    bool append(Draft& draft) override { return log_.append(stream_, sink_.lock(), draft); }
    void read(std::uint64_t from, std::function<void(std::shared_ptr<History>)> done) override {
        log_.run_on_thread([stream = stream_, from, done = std::move(done)]() mutable {
            stream->reader().read(from, std::move(done));
        });
    }
    void locate(std::string id, std::function<void(LogPosition)> done) override {
        log_.run_on_thread(
            [stream = stream_, id = std::move(id), done = std::move(done)]() mutable {
                stream->reader().locate(std::move(id), std::move(done));
            });
    }
    std::uint64_t begin() const override { return stream_->begin(); }

private:
    RedisLog& log_;
    const std::shared_ptr<RedisStream> stream_;
    const std::weak_ptr<LogSink> sink_;
};

} // namespace

RedisLog::RedisLog(RedisOptions options)
    : options_(std::move(options))
    , health_(options_.store)
    , link_(options_, unique_name(), health_, counts_, *this)
    , shared_{options_, link_, health_, counts_, unique_name()} {
    if (!has_redis()) RedisParser(); // throws
}

RedisLog::~RedisLog() { stop(); }

void RedisLog::start() {
    thread_ = std::thread([this] { run(); });
}

void RedisLog::stop() {
    if (!thread_.joinable()) return;
    stopping_ = true;
    wake_.set();
    thread_.join();
    const std::lock_guard lock(mutex_);
    actions_.clear();
}

void RedisLog::run_on_thread(std::function<void()> action) {
    bool first = false;
    {
        const std::lock_guard lock(mutex_);
        first = actions_.empty();
        actions_.push_back(std::move(action));
    }
    if (first) wake_.set();
}

Log::Opened RedisLog::open(std::string_view name, const HistoryOptions& bounds,
                           std::weak_ptr<LogSink> sink) {
    auto stream = std::make_shared<RedisStream>(shared_, name, bounds, sink);
    run_on_thread([this, stream] {
        streams_[stream->topic()] = stream;
        link_.subscribe({stream->topic()});
    });
    return {std::make_shared<RedisChannel>(*this, std::move(stream), std::move(sink)),
            std::nullopt};
}

bool RedisLog::append(const std::shared_ptr<RedisStream>& stream, std::shared_ptr<LogSink> sink,
                      Draft& draft) {
    const auto bytes = draft.batch->bytes();
    if (stopping_ || !health_.ok() || counts_.queued_bytes > options_.store.max_queued_bytes) {
        const std::lock_guard lock(mutex_);
        refused_.push_back(sink);
        return false;
    }
    counts_.queued_bytes += bytes;
    auto pending = std::make_shared<PendingDraft>();
    pending->draft = std::move(draft);
    pending->sink = std::move(sink);
    pending->drafted = bytes;
    pending->since = Clock::now();
    run_on_thread([stream, pending] { stream->drafts().append(std::move(*pending)); });
    return true;
}

void RedisLog::wake_refused() {
    decltype(refused_) refused;
    {
        const std::lock_guard lock(mutex_);
        if (refused_.empty()) return;
        refused.swap(refused_);
    }
    for (const auto& weak : refused) {
        if (const auto sink = weak.lock()) sink->writable();
    }
}

// ---- the thread ----

void RedisLog::run() {
    auto give_up = Clock::time_point::max();
    std::uint64_t left = 0; // bytes of drafts: the end waits for as long as they become fewer
    while (true) {
        step();
        if (!stopping_) continue;
        const auto now = Clock::now();
        if (give_up == Clock::time_point::max() || counts_.queued_bytes < left) {
            give_up = now + options_.timeout;
            left = counts_.queued_bytes;
        }
        if (is_idle() || now >= give_up) break;
    }
    run_actions();
    std::size_t unstored = 0;
    each(
        [&](RedisStream& stream) { unstored += stream.drafts().fail_all("the store was closed"); });
    if (unstored > 0 && options_.store.on_note) {
        options_.store.on_note(
            fmt::format("{} of the input {} not stored, because Redis did not accept {}",
                        unstored == 1 ? "1 event" : fmt::format("{} events", unstored),
                        unstored == 1 ? "was" : "were", unstored == 1 ? "it" : "them"));
    }
}

bool RedisLog::is_idle() {
    {
        const std::lock_guard lock(mutex_);
        if (!actions_.empty()) return false;
    }
    bool idle = true;
    each([&](RedisStream& stream) { idle = idle && stream.drafts().empty(); });
    return idle;
}

void RedisLog::step() {
    const auto before = Clock::now();
    fds_.clear();
    fds_.push_back({wake_.fd(), POLLIN, 0});
    link_.add_waits(fds_);
    auto until = std::min({link_.next_tick(), next_look_, before + idle_wait});
    if (counts_.queued_bytes > 0) until = std::min(until, next_resume_);
    poll_for(fds_, std::max(until - before, Clock::duration(0)));
    if (fds_[0].revents != 0) wake_.reset();
    link_.advance(&fds_[1]);
    run_actions();
    tick(Clock::now());
    link_.flush();
    if (health_.ok() && counts_.queued_bytes <= options_.store.max_queued_bytes / 2) wake_refused();
}

void RedisLog::run_actions() {
    decltype(actions_) actions;
    {
        const std::lock_guard lock(mutex_);
        actions.swap(actions_);
    }
    for (const auto& action : actions) action();
}

void RedisLog::tick(Clock::time_point now) {
    link_.tick(now);
    if (now >= next_resume_) {
        next_resume_ = now + resume_every;
        if (counts_.queued_bytes > 0) each([](RedisStream& stream) { stream.drafts().resume(); });
    }
    if (now < next_look_) return;
    next_look_ = now + options_.look_every;
    std::erase_if(streams_, [&](const auto& it) {
        if (!it.second.expired()) return false;
        link_.unsubscribe(it.first);
        return true;
    });
    auto next = streams_.upper_bound(looked_at_);
    for (std::size_t i = 0; i < std::min(options_.looks, streams_.size()); ++i) {
        if (next == streams_.end()) next = streams_.begin();
        if (const auto stream = next->second.lock()) {
            stream->look();
            if (stream->drafts().take_grown()) stream->reader().trim();
        }
        looked_at_ = next->first;
        ++next;
    }
}

template <typename Action>
void RedisLog::each(Action&& action) {
    for (const auto& [topic, weak] : streams_) {
        if (const auto stream = weak.lock()) action(*stream);
    }
}

// ---- the link ----

void RedisLog::on_commands(bool restarted) {
    if (restarted) shared_.hold();
    each([](RedisStream& stream) { stream.commands_ready(); });
}

void RedisLog::on_commands_lost() {
    each([](RedisStream& stream) { stream.commands_lost(); });
}

void RedisLog::on_subscriber() {
    std::vector<std::string_view> topics;
    for (const auto& [topic, stream] : streams_) topics.emplace_back(topic);
    link_.subscribe(topics);
}

void RedisLog::on_subscriber_lost() {
    each([](RedisStream& stream) { stream.subscriber_lost(); });
}

void RedisLog::on_subscribed(const std::string& topic) {
    const auto found = streams_.find(topic);
    if (found == streams_.end()) return;
    if (const auto stream = found->second.lock()) stream->subscribed();
}

void RedisLog::on_message(const std::string& topic, const std::string& text) {
    const auto found = streams_.find(topic);
    if (found == streams_.end()) return;
    if (const auto stream = found->second.lock()) stream->message(text);
}

LogCounts RedisLog::counts() const {
    LogCounts out;
    out.error = health_.error();
    if (out.error.empty() && !counts_.seen) out.error = "not connected to Redis yet";
    out.queued_bytes = counts_.queued_bytes;
    LogCounts::Remote remote;
    remote.appends = counts_.appends.get();
    remote.append_seconds = static_cast<double>(counts_.append_us.get()) / 1e6;
    remote.reconnects = counts_.reconnects.get();
    remote.chain_breaks = counts_.chain_breaks.get();
    remote.stalls = counts_.stalls.get();
    remote.put_back = counts_.put_back.get();
    remote.gaps = counts_.gaps.get();
    remote.duplicates = counts_.duplicates.get();
    remote.refused = counts_.refused.get();
    remote.pages = counts_.pages.get();
    out.damaged = counts_.damaged.get();
    out.remote = remote;
    return out;
}

} // namespace sse
