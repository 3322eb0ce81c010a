// A second reading of the input files of `sse serve`, for one client.
#pragma once

#include "base/open_file.hpp"
#include "cmd/serve/input_pump.hpp"
#include "handlers/reread_feed.hpp"

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace cmd {

/// Publishes what the files hold now to a channel of its own, as fast as its subscriber reads it.
class FileReread : public sse::Reread {
public:
    struct Source {
        std::vector<std::string> files;
        PumpOptions pump;
        std::string channel;
        bool grows; ///< the last line of a file may be incomplete
        sse::OpenFile open;
    };
    /// Counts itself in `running`.
    FileReread(Source source, std::size_t loops, const sse::Channels::Executor& executor,
               std::shared_ptr<std::atomic<std::size_t>> running);
    ~FileReread() override;

    const std::shared_ptr<sse::Channel>& channel() const override { return channel_; }
    void start() override;

private:
    void run();
    void read(const std::string& path);

    Source source_;
    sse::Channels channels_;
    std::shared_ptr<sse::Channel> channel_;
    std::shared_ptr<std::atomic<std::size_t>> running_;
    std::atomic<bool> stopped_{false};
    std::thread thread_;
};

} // namespace cmd
