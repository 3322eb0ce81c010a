#include "proxy/recording_store.hpp"

#include "base/percent.hpp"
#include "recording/comparable_body.hpp"
#include "recording/recording_files.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <optional>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace sse {

namespace {

/// Maximum bytes of a path in a file name; the hash distinguishes longer paths.
constexpr std::size_t max_path_in_name = 80;

/// The first 12 hexadecimal digits of the SHA-256 of `bytes`.
std::string short_hash(std::string_view bytes) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_sha256(), nullptr);
    std::string out;
    for (unsigned i = 0; i < 6; ++i) out += fmt::format("{:02x}", digest[i]);
    return out;
}

/// `text` with each run of other characters than letters, digits, `.` and `_` as one `-`.
std::string file_part(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                           (c >= 'A' && c <= 'Z') || c == '.' || c == '_';
        if (plain) out.push_back(c);
        else if (!out.empty() && out.back() != '-') out.push_back('-');
        if (out.size() >= max_path_in_name) break;
    }
    while (out.ends_with('-')) out.pop_back();
    return out;
}

/// The name and number of a file that next_path() named.
std::optional<std::pair<std::string, unsigned>> numbered(std::string_view file) {
    constexpr std::string_view extension = ".jsonl";
    if (!file.ends_with(extension)) return std::nullopt;
    file.remove_suffix(extension.size());
    const auto dash = file.rfind('-');
    if (dash == file.npos || dash == 0) return std::nullopt;
    const auto digits = file.substr(dash + 1);
    unsigned number = 0;
    const auto* const end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, number);
    if (digits.size() < 4 || error != std::errc() || stop != end) return std::nullopt;
    return std::pair(std::string(file.substr(0, dash)), number);
}

} // namespace

std::string recording_name(std::string_view method, std::string_view target,
                           std::string_view body) {
    const auto mark = target.find('?');
    const auto query = mark == target.npos ? std::string_view() : target.substr(mark + 1);
    auto name = file_part(method);
    const auto path = file_part(percent_decoded(target.substr(0, mark)));
    if (!path.empty()) name.append("-").append(path);
    if (!query.empty() || !body.empty())
        name.append("-").append(
            short_hash(fmt::format("{}\n{}", query, comparable_body(body).text)));
    return name;
}

RecordingStore::RecordingStore(RecordingStoreOptions options)
    : options_(std::move(options))
    , bodies_(std::max(options_.max_pending_body_bytes, options_.max_body_bytes)) {
    namespace fs = std::filesystem;
    std::error_code error;
    fs::create_directories(options_.directory, error);
    if (error) throw std::system_error(error, fmt::format("cannot create {}", options_.directory));
    if (::access(options_.directory.c_str(), R_OK | W_OK | X_OK) != 0) {
        throw std::system_error(errno, std::generic_category(),
                                fmt::format("cannot write to {}", options_.directory));
    }
    for (auto& file : playable_recordings_under(options_.directory)) {
        const fs::path path(file);
        if (const auto known = numbered(path.filename().string());
            known && path.parent_path() == fs::path(options_.directory).lexically_normal()) {
            auto& names = names_[known->first];
            names.last = std::max(names.last, known->second);
            names.earlier.push_back(file);
        }
        if (options_.replace || !is_unbegun_recording(file)) earlier_.push_back(std::move(file));
    }
}

std::string RecordingStore::next_path(const std::string& name) {
    const std::lock_guard lock(mutex_);
    auto& names = names_[name];
    if (options_.replace && !names.earlier.empty()) {
        for (const auto& file : std::exchange(names.earlier, {})) ::unlink(file.c_str());
        names.last = 0;
    }
    return (std::filesystem::path(options_.directory) /
            fmt::format("{}-{:04}.jsonl", name, ++names.last))
        .string();
}

} // namespace sse
