#include "input/file_follower.hpp"

#include <set>
#include <utility>

namespace sse {

FileFollower::FileFollower(FollowOptions options)
    : options_(std::move(options))
    , watcher_(options_.watch) {}

void FileFollower::add(const std::string& path, ByteSource::Sink& sink) {
    files_.push_back(
        {std::make_unique<FollowedFile>(path, options_, watcher_, files_.size()), &sink});
}

void FileFollower::run(const std::function<void()>& on_caught_up) {
    std::vector<char> buffer(options_.read_bytes);
    std::set<FileWatcher::Key> changed;
    for (FileWatcher::Key key = 0; key < files_.size(); ++key) changed.insert(key);
    for (bool caught_up = false;;) {
        while (!changed.empty()) { // in turns: a long file must not keep the others waiting
            for (auto at = changed.begin(); at != changed.end();) {
                if (wake_.is_set()) return;
                auto& [file, sink] = files_[*at];
                const bool has_more = file->read(*sink, buffer);
                at = has_more ? std::next(at) : changed.erase(at);
            }
        }
        if (!std::exchange(caught_up, true) && on_caught_up) on_caught_up();
        if (!watcher_.wait(wake_.fd(), changed)) return;
    }
}

} // namespace sse
