#include "cmd/serve/file_reread.hpp"

#include "base/descriptor.hpp"

#include <cerrno>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace cmd {

namespace {

sse::ChannelOptions channel_options() {
    sse::ChannelOptions options;
    options.history = {1'024, 4 * 1024 * 1024}; // of one client, which the reading waits for
    options.makes_ids = false;
    options.max_hold_up = std::chrono::milliseconds(0);
    return options;
}

} // namespace

FileReread::FileReread(Source source, std::size_t loops, const sse::Channels::Executor& executor,
                       std::shared_ptr<std::atomic<std::size_t>> running)
    : source_(std::move(source))
    , channels_(channel_options(), loops, executor, sse::ChannelsOptions{})
    , channel_(channels_.open(source_.channel))
    , running_(std::move(running)) {
    source_.pump.quiet = true;
    source_.pump.strict = false;
    channel_->begin_loading();
    ++*running_;
}

FileReread::~FileReread() {
    stopped_ = true;
    channels_.close();
    if (thread_.joinable()) thread_.join();
    --*running_;
}

void FileReread::start() {
    try {
        thread_ = std::thread([this] { run(); });
    } catch (const std::system_error&) { // out of threads: as if the files were empty
        channel_->end_loading();
        channel_->end();
    }
}

void FileReread::run() {
    for (const auto& file : source_.files) {
        try {
            if (!stopped_) read(file);
        } catch (const std::exception&) { // reported when the input was read at first
        }
    }
    channel_->end_loading();
    channel_->end();
}

void FileReread::read(const std::string& path) {
    const sse::Descriptor file(source_.open ? source_.open(path) : sse::open_for_reading(path));
    struct stat status {};
    if (file.get() < 0 || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return;
    InputPump pump(path, source_.pump, channels_, source_.channel, nullptr);
    std::vector<char> buffer(256 * 1024);
    while (!stopped_) {
        const auto got = ::read(file.get(), buffer.data(), buffer.size());
        if (got == 0) break;
        if (got > 0) pump.sink().on_bytes({buffer.data(), static_cast<std::size_t>(got)});
        else if (errno != EINTR) break;
    }
    pump.finish(!source_.grows && !stopped_);
}

} // namespace cmd
