#include "cmd/replay/recordings.hpp"

#include "cmd/cli/command.hpp"
#include "recording/har.hpp"
#include "recording/recording_files.hpp"
#include "recording/vcr.hpp"
#include "recording/writer.hpp"
#include "store/store_export.hpp"

#include <filesystem>
#include <fmt/format.h>
#include <sys/stat.h>
#include <utility>

namespace cmd {

namespace {

/// True if the file can be opened again and read from its start.
bool is_reopenable(const std::string& path) {
    struct stat about {};
    return path != "-" && (::stat(path.c_str(), &about) != 0 || S_ISREG(about.st_mode));
}

} // namespace

Recordings::Recordings(const std::vector<std::string>& named, Pipes use, bool follow)
    : use_(use)
    , follow_(follow) {
    routed_ = named.size() > 1;
    for (const auto& path : named) {
        if (!std::filesystem::is_directory(path)) {
            add(path, path == "-" ? "stdin" : path);
            continue;
        }
        if (sse::is_store(path)) {
            add_store(path);
            continue;
        }
        routed_ = true;
        add_directory(path);
    }
    if (follow_ && files_.size() > 1) {
        throw Failure(Exit::usage, "--follow accepts only one recording",
                      "run one sse replay for each recording");
    }
    if (follow_ && !growing_ && streamed_.empty()) // a pipe ends when its writer closes it
        growing_ = std::make_shared<const std::atomic<bool>>(true);
}

void Recordings::add_directory(const std::string& directory) {
    const auto before = files_.size();
    for (const auto& file : sse::recordings_under(directory)) {
        if (follow_ || !sse::is_unbegun_recording(file)) add(file, file);
        else warn(fmt::format("{}: nothing was recorded in this file; it is skipped", file));
    }
    if (files_.size() == before) {
        throw sse::Error(sse::Errc::bad_input,
                         fmt::format("{}: the directory contains no recording", directory),
                         sse::Reason::no_recording);
    }
}

void Recordings::configure(sse::RecordingReaderOptions& options) const {
    options.growing = growing_;
    options.names = std::make_shared<const std::map<std::string, std::string>>(other_names_);
}

void Recordings::add(const std::string& path, const std::string& name) {
    if (path == "-" && std::exchange(has_stdin_, true)) {
        throw Failure(Exit::usage, "standard input is given twice",
                      "remove one -; standard input can be read only once");
    }
    const bool reopenable = is_reopenable(path);
    if (!reopenable && use_ == Pipes::kept) {
        auto& spool = spools_.emplace_back();
        if (follow_) growing_ = spool.follow(path);
        else spool.copy(path);
        return add(spool.path(), name);
    }
    auto input = std::make_unique<sse::RecordingInput>(path);
    input->set_name(name);
    if (path != name) other_names_[path] = name;
    const auto start = sse::start_of(*input);
    if (sse::is_har(start) || sse::is_vcr(start)) return add_streams(*input, sse::is_vcr(start));
    if (!reopenable) streamed_[files_.size()] = std::move(input);
    files_.push_back(reopenable ? path : "-");
    names_.push_back(name);
}

void Recordings::add_streams(sse::RecordingInput& input, bool vcr) {
    const auto before = files_.size();
    sse::HarOptions har_options;
    har_options.warn = warn;
    const auto make = [&](sse::RecordingHeader header) {
        return spool(fmt::format("{}, stream {}", input.name(), files_.size() - before + 1),
                     std::move(header));
    };
    sse::VcrOptions vcr_options;
    vcr_options.warn = warn;
    if (vcr) sse::read_vcr(input, make, vcr_options);
    else sse::read_har(input, make, har_options);
    if (files_.size() - before > 1) routed_ = true;
}

/// A temporary recording, private to this process.
std::unique_ptr<sse::RecordingWriter> Recordings::spool(std::string name,
                                                        sse::RecordingHeader header) {
    sse::RecordingWriterOptions options;
    options.mask = false;
    files_.push_back(spools_.emplace_back().path());
    other_names_[files_.back()] = name;
    names_.push_back(std::move(name));
    return std::make_unique<sse::RecordingWriter>(files_.back(), std::move(header), options);
}

void Recordings::add_store(const std::string& directory) {
    const auto before = files_.size();
    sse::export_store(
        directory,
        [&](sse::RecordingHeader header) {
            auto name = fmt::format("{}, channel {}", directory, header.request.target);
            return spool(std::move(name), std::move(header));
        },
        warn);
    if (files_.size() - before > 1) routed_ = true;
}

std::unique_ptr<sse::RecordReader> Recordings::open(std::size_t i,
                                                    sse::RecordingReaderOptions options) {
    if (files_[i] != "-") return sse::open_recording(files_[i], std::move(options));
    return sse::open_recording(std::move(streamed_.at(i)), std::move(options));
}

void warn_about(const sse::Playback& playback, const sse::PlaybackOptions& options,
                const std::string& name) {
    const auto& warning = playback.reader().warning();
    if (!warning.empty()) warn(warning);
    if (playback.played() || playback.grows()) return;
    if (options.from || options.to || options.wanted)
        warn(fmt::format("{}: --from, --to and -e select no event", name));
}

} // namespace cmd
