#include "recording/recording_files.hpp"

#include "base/error.hpp"
#include "recording/record_reader.hpp"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <string_view>

namespace sse {

namespace {

bool is_recording(const std::string& name) {
    std::string_view stem = name;
    if (stem.ends_with(".gz")) stem.remove_suffix(3);
    return !name.starts_with('.') && (stem.ends_with(".jsonl") || stem.ends_with(".ndjson") ||
                                      stem.ends_with(".sse") || stem.ends_with(".har"));
}

std::vector<std::string> find_recordings(const std::string& directory) {
    namespace fs = std::filesystem;
    std::vector<std::string> found;
    try {
        const auto options = fs::directory_options::follow_directory_symlink;
        for (const auto& entry : fs::recursive_directory_iterator(directory, options)) {
            if (entry.is_regular_file() && is_recording(entry.path().filename().string())) {
                found.push_back(entry.path().string());
            }
        }
    } catch (const fs::filesystem_error& e) {
        throw Error(Errc::io, fmt::format("cannot read {}: {}", directory, e.code().message()));
    }
    std::sort(found.begin(), found.end());
    return found;
}

} // namespace

std::vector<std::string> recordings_under(const std::string& directory) {
    auto found = find_recordings(directory);
    if (found.empty())
        throw Error(Errc::bad_input,
                    fmt::format("{}: the directory contains no recording", directory),
                    Reason::no_recording);
    return found;
}

bool is_unbegun_recording(const std::string& file) {
    try {
        open_recording(file, {});
        return false;
    } catch (const Error& e) {
        return e.reason() == Reason::empty_recording;
    }
}

std::vector<std::string> playable_recordings_under(const std::string& directory) {
    auto found = find_recordings(directory);
    std::erase_if(found, [](const std::string& file) {
        return file.ends_with(".har") || file.ends_with(".har.gz");
    });
    return found;
}

} // namespace sse
