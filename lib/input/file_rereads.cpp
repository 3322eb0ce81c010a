#include "input/file_rereads.hpp"

#include "base/error.hpp"
#include "hub/channel.hpp"
#include "protocol/encoder.hpp"

#include <algorithm>
#include <cerrno>
#include <deque>
#include <exception>
#include <sys/stat.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>

namespace sse {

/// Thread-safe.
class FileReadingState {
public:
    explicit FileReadingState(std::function<void()> wake)
        : wake_(std::move(wake)) {}

    /// Waits while more than `most` bytes wait. False once stopped.
    bool push(FileReading::Piece piece, std::size_t most) {
        std::unique_lock lock(mutex_);
        room_.wait(lock, [&] { return stopped_ || bytes_ <= most; });
        if (stopped_) return false;
        bytes_ += piece.text.size();
        pieces_.push_back(std::move(piece));
        wake_(); // with the lock, so that it is not called behind stop()
        return true;
    }
    void finish() {
        const std::lock_guard lock(mutex_);
        finished_ = true;
        if (!stopped_) wake_();
    }
    void stop() {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
        room_.notify_all();
    }
    bool stopped() const {
        const std::lock_guard lock(mutex_);
        return stopped_;
    }
    std::optional<FileReading::Piece> take() {
        const std::lock_guard lock(mutex_);
        if (pieces_.empty()) return std::nullopt;
        auto piece = std::move(pieces_.front());
        pieces_.pop_front();
        bytes_ -= piece.text.size();
        room_.notify_all();
        return piece;
    }
    bool finished() const {
        const std::lock_guard lock(mutex_);
        return (finished_ || stopped_) && pieces_.empty();
    }

private:
    const std::function<void()> wake_;
    mutable std::mutex mutex_; ///< guards what follows
    std::condition_variable room_;
    std::deque<FileReading::Piece> pieces_;
    std::size_t bytes_ = 0; ///< of pieces_
    bool finished_ = false, stopped_ = false;
};

FileReading::FileReading(std::shared_ptr<FileReadingState> state)
    : state_(std::move(state)) {}

FileReading::~FileReading() { state_->stop(); }

std::optional<FileReading::Piece> FileReading::take() { return state_->take(); }

bool FileReading::finished() const { return state_->finished(); }

namespace {

constexpr std::size_t piece_bytes = std::size_t{64} * 1024;

/// Runs on the thread of one reading.
class FileSearch : private Decoder::Sink {
public:
    FileSearch(const FileRereadsOptions& options, std::string last_event_id,
               FileReadingState& state)
        : options_(options)
        , last_event_id_(std::move(last_event_id))
        , state_(state) {}

    void run() {
        for (const auto& file : options_.files) {
            if (done_) return;
            if (file != "-") {
                read(Descriptor(options_.open ? options_.open(file) : open_for_reading(file)), 0);
            } else if (options_.standard_input) {
                read(Descriptor(::dup(options_.standard_input->get())),
                     options_.standard_input_begin);
            }
        }
    }

private:
    /// Not by the offset of the descriptor, which others may share.
    void read(const Descriptor& file, off_t at) {
        struct stat status {};
        if (file.get() < 0 || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return;
        const auto decoder = Decoder::make(options_.format, *this, options_.decoder);
        std::vector<char> buffer(options_.read_bytes);
        try {
            while (!done_ && !state_.stopped()) {
                const auto got = ::pread(file.get(), buffer.data(), buffer.size(), at);
                if (got == 0 && !options_.grows) decoder->finish();
                if (got == 0) break;
                if (got > 0) {
                    decoder->feed({buffer.data(), static_cast<std::size_t>(got)});
                    at += got;
                } else if (errno != EINTR) {
                    break;
                }
            }
        } catch (const std::exception&) { // reported when it was read at first
        }
        push();
    }

    void on_channel(std::string_view name) override {
        if (!name.empty()) throw Error(Errc::bad_input, "the event names a channel");
    }
    void on_event(const EventView& event) override {
        const bool has_id = event.id && !event.id->empty();
        if (has_id) check_event_id(*event.id, options_.max_id_bytes);
        if (!found_) {
            found_ = has_id && *event.id == last_event_id_;
            return;
        }
        if (done_) return;
        encode(event, open_);
        ++open_events_;
        if (!has_id) return drop_if_large();
        piece_.text += std::exchange(open_, {});
        events_ += std::exchange(open_events_, 0);
        piece_.ids.push_back({std::string(*event.id), piece_.text.size(), events_});
        if (piece_.text.size() >= piece_bytes) push();
    }
    void on_comment(std::string_view text) override {
        if (!found_ || done_) return;
        encode_comment(text, open_);
        drop_if_large();
    }
    void on_retry(std::chrono::milliseconds retry) override {
        if (found_ && !done_) encode_retry(retry, open_);
    }
    void on_skipped(const std::string& /*where*/, const std::string& /*why*/) override {}

    void drop_if_large() { done_ = done_ || open_.size() > options_.max_bytes_without_id; }
    void push() {
        events_ = 0;
        if (piece_.ids.empty()) return;
        if (!state_.push(std::exchange(piece_, {}), options_.max_waiting_bytes)) done_ = true;
    }

    const FileRereadsOptions& options_;
    const std::string last_event_id_;
    FileReadingState& state_;
    bool found_ = false;
    bool done_ = false;
    FileReading::Piece piece_; ///< ends with an event that has an ID
    std::uint64_t events_ = 0; ///< in piece_
    std::string open_;         ///< behind it; not sent until an event with an ID follows
    std::uint64_t open_events_ = 0;
};

} // namespace

FileRereads::FileRereads(FileRereadsOptions options)
    : options_(std::move(options)) {}

FileRereads::~FileRereads() {
    std::unique_lock lock(mutex_);
    for (const auto& state : running_) state->stop();
    ended_.wait(lock, [this] { return running_.empty(); });
}

std::vector<std::string> FileRereads::files() const {
    auto files = options_.files;
    std::erase(files, "-");
    return files;
}

std::unique_ptr<FileReading> FileRereads::start(std::string last_event_id,
                                                std::function<void()> wake) {
    auto state = std::make_shared<FileReadingState>(std::move(wake));
    const std::lock_guard lock(mutex_);
    if (running_.size() >= options_.max_readings) return nullptr;
    try {
        std::thread([this, state, id = std::move(last_event_id)] {
            FileSearch(options_, id, *state).run();
            state->finish();
            const std::lock_guard end(mutex_);
            std::erase(running_, state);
            ended_.notify_all();
        }).detach();
    } catch (const std::system_error&) { // out of threads
        return nullptr;
    }
    running_.push_back(state);
    return std::make_unique<FileReading>(std::move(state));
}

} // namespace sse
