#include "handlers/playback_routes.hpp"

#include "base/mask.hpp"
#include "base/percent.hpp"
#include "base/printable.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace sse {

namespace {

/// `/NAME` for `DIR/NAME.EXTENSION`.
std::string path_of_file(std::string_view file) {
    const auto name = file.substr(file.rfind('/') + 1); // npos + 1 is 0
    return fmt::format("/{}", name.substr(0, name.find('.')));
}

RoutedRecording routed(const std::string& file, const RecordingReaderOptions& reader) {
    RoutedRecording it{file, open_recording(file, reader)->header(), "GET", path_of_file(file), "",
                       {}};
    if (it.header.request.body) it.body = comparable_body(*it.header.request.body);
    if (!it.header.request.method.empty()) it.method = it.header.request.method;
    const auto& target = it.header.request.target;
    std::string_view url = target.empty() ? it.header.url : target;
    if (url.empty()) return it;
    if (const auto scheme = url.find("://"); scheme != url.npos) {
        url.remove_prefix(scheme + 3);
        url.remove_prefix(std::min(url.find_first_of("/?#"), url.size()));
    }
    url = url.substr(0, url.find('#'));
    const auto question = url.find('?');
    it.path = percent_decoded(url.substr(0, question));
    if (it.path.empty()) it.path = "/";
    if (question != url.npos) it.query = url.substr(question + 1);
    return it;
}

std::vector<std::string_view> sorted_parameters(std::string_view query) {
    std::vector<std::string_view> parameters;
    for (;;) {
        const auto end = query.find('&');
        parameters.push_back(query.substr(0, end));
        if (end == query.npos) break;
        query.remove_prefix(end + 1);
    }
    std::sort(parameters.begin(), parameters.end());
    return parameters;
}

/// Compares parameters in any order; a masked recorded value matches any value.
bool same_query(std::string_view recorded, std::string_view asked) {
    const auto same = [](std::string_view a, std::string_view b) {
        const auto name = a.substr(0, a.find('=') + 1);
        return a == b ||
               (!name.empty() && a.substr(name.size()) == mask_text && b.starts_with(name));
    };
    const auto a = sorted_parameters(recorded), b = sorted_parameters(asked);
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), same);
}

/// The recorded path that has most in common with `path`, at its end and its begin.
std::string_view nearest_path(const std::deque<RoutedRecording>& recordings,
                              std::string_view path) {
    std::string_view nearest;
    std::size_t most = 0;
    for (const auto& it : recordings) {
        const auto same = std::mismatch(it.path.begin(), it.path.end(), path.begin(), path.end());
        const auto back =
            std::mismatch(it.path.rbegin(), it.path.rend(), path.rbegin(), path.rend());
        const auto common = static_cast<std::size_t>(
            std::max(same.second - path.begin(), back.second - path.rbegin()));
        if (common <= most) continue;
        most = common;
        nearest = it.path;
    }
    return most > 1 ? nearest : std::string_view();
}

} // namespace

PlaybackRoutes::PlaybackRoutes(const std::vector<std::string>& files, PlaybackRouteOptions options,
                               const RecordingReaderOptions& reader)
    : options_(std::move(options))
    , bodies_(options_.ignored) {
    for (const auto& file : files) {
        const auto& added = recordings_.emplace_back(routed(file, reader));
        auto group = std::find_if(groups_.begin(), groups_.end(), [&](const Group& it) {
            return it.method == added.method && it.path == added.path;
        });
        if (group == groups_.end())
            group = groups_.insert(group, {added.method, added.path, {}, {}, false});
        if (!group->recordings.empty() &&
            !same_query(group->recordings.front()->query, added.query)) {
            group->differ_by_query = true;
        }
        group->recordings.push_back(&added);
    }
}

const RoutedRecording* PlaybackRoutes::find(const Request& request, bool resumes, Response& refusal,
                                            const HoldsId& holds_id) {
    const bool head = request.method == "HEAD";
    std::vector<const RoutedRecording*> resumable;
    if (resumes && request.method == "GET" && !options_.any_path) {
        resumable = of_other_methods(request);
        const auto found = std::find_if(resumable.begin(), resumable.end(), [&](const auto* it) {
            return resumable.size() > 1 && holds_id && holds_id(*it);
        });
        if (found != resumable.end()) return *found;
    }
    for (auto& group : groups_) {
        if (!matches(group, request)) continue;
        auto found = matching(group, request);
        if (!found.empty()) return select_next(group, std::move(found), resumes || head);
    }
    if (!resumable.empty()) return resumable.front();
    refusal = refuse(request);
    return nullptr;
}

/// By method and path alone.
bool PlaybackRoutes::matches(const Group& group, const Request& request) const {
    const bool head = request.method == "HEAD";
    const bool method = request.method == group.method || (head && group.method == "GET") ||
                        (options_.any_path && (head || request.method == "GET"));
    return method && (options_.any_path || request.path == group.path);
}

std::optional<Response> PlaybackRoutes::refuse_head(const Request& head) const {
    const bool resumes = head.method == "GET" && !last_event_id(head).empty();
    const bool found = std::any_of(groups_.begin(), groups_.end(), [&](const Group& group) {
        return matches(group, head) || (resumes && group.path == head.path);
    });
    return found ? std::nullopt : std::optional(refuse(head));
}

/// The recordings of other methods at the path of `request`, and those of GET if there are any
/// others. The one selected last comes first. An MCP client resumes the response to a POST with a
/// GET.
std::vector<const RoutedRecording*> PlaybackRoutes::of_other_methods(const Request& request) {
    const std::lock_guard lock(mutex_);
    std::vector<const RoutedRecording*> found;
    bool others = false;
    for (const auto& group : groups_) {
        if (group.path != request.path) continue;
        others = others || group.method != "GET";
        for (const auto* it : group.recordings) {
            if (group.differ_by_query && !request.query.empty() &&
                !same_query(it->query, request.query))
                continue;
            found.insert(it == group.newest ? found.begin() : found.end(), it);
        }
    }
    if (!others) found.clear();
    return found;
}

std::vector<const RoutedRecording*> PlaybackRoutes::matching(const Group& group,
                                                             const Request& request) const {
    auto found = group.recordings;
    std::erase_if(found, [&](const auto* it) {
        return (group.differ_by_query || is_exact(*it)) && !same_query(it->query, request.query);
    });
    const auto compared = [&](const auto* it) { return compares_body(*it); };
    if (request.method == "HEAD" || std::none_of(found.begin(), found.end(), compared))
        return found;
    const auto body = comparable_body(request.body);
    auto equal = found; // a recording without a body matches if no other does
    std::erase_if(equal, [&](const auto* it) {
        return !compared(it) || !it->body || !bodies_.equal(*it->body, body);
    });
    std::erase_if(found, [&](const auto* it) { return compared(it) && it->body.has_value(); });
    return equal.empty() ? found : equal;
}

bool PlaybackRoutes::compares_body(const RoutedRecording& it) const {
    return options_.match_body || is_exact(it);
}

bool PlaybackRoutes::has(const Request& request) const {
    return std::any_of(groups_.begin(), groups_.end(), [&](const Group& group) {
        return matches(group, request) && !matching(group, request).empty();
    });
}

const RoutedRecording* PlaybackRoutes::select_next(Group& group,
                                                   std::vector<const RoutedRecording*> matching,
                                                   bool resumes) {
    const std::lock_guard lock(mutex_);
    auto turn = std::find_if(group.turns.begin(), group.turns.end(),
                             [&](const auto& it) { return it.first == matching; });
    if (turn == group.turns.end()) turn = group.turns.insert(turn, {std::move(matching), 0});
    auto& [recordings, selections] = *turn;
    const auto number = resumes ? std::max<std::size_t>(selections, 1) - 1 : selections++;
    if (options_.repeat == PlaybackRouteOptions::Repeat::cycle)
        group.newest = recordings[number % recordings.size()];
    else group.newest = recordings[std::min(number, recordings.size() - 1)];
    return group.newest;
}

/// The recording of `group` that differs least from `request`, and how: `nearest is FILE, recorded
/// "a" at ...`.
std::string PlaybackRoutes::describe_nearest(const Group& group, const Request& request) const {
    constexpr std::size_t most = 100; // compared; a client decides how often this is called
    const auto body = comparable_body(request.body);
    const RoutedRecording* nearest = nullptr;
    std::size_t least = 0;
    bool other_query = false;
    for (std::size_t i = 0; i < std::min(most, group.recordings.size()); ++i) {
        const auto* const it = group.recordings[i];
        const bool query = !same_query(it->query, request.query);
        const auto distance =
            (compares_body(*it) && it->body ? bodies_.distance(*it->body, body) : 0) +
            (query ? 1 : 0);
        if (nearest != nullptr && distance >= least) continue;
        nearest = it;
        least = distance;
        other_query = query;
    }
    if (nearest == nullptr) return {};
    const auto file = printable(nearest->file.substr(nearest->file.rfind('/') + 1), 200);
    if (other_query && (group.differ_by_query || is_exact(*nearest))) {
        return fmt::format("nearest is {}: query recorded \"{}\", requested \"{}\"", file,
                           printable(mask_url("?" + nearest->query).substr(1), 200),
                           printable(mask_url("?" + request.query).substr(1), 200));
    }
    if (!compares_body(*nearest) || !nearest->body) return {};
    return fmt::format("nearest is {}: {}", file, bodies_.difference(*nearest->body, body));
}

Response PlaybackRoutes::refuse(const Request& request) const {
    Response response;
    response.status = 404;
    response.content_type = "text/plain; charset=utf-8";
    std::string allowed, known, nearest;
    const auto allow = [&](std::string_view method) {
        if (allowed.find(method) == allowed.npos)
            allowed.append(allowed.empty() ? "" : ", ").append(method);
    };
    for (const auto& group : groups_) {
        if (!options_.any_path && group.path != request.path) continue;
        if (group.method == request.method || (group.method == "GET" && request.method == "HEAD")) {
            allowed.clear();
            const bool query =
                std::none_of(group.recordings.begin(), group.recordings.end(), [&](const auto* it) {
                    return same_query(it->query, request.query) ||
                           (!group.differ_by_query && !is_exact(*it));
                });
            known = fmt::format("{} {} is recorded, but not with this {}", printable(group.method),
                                printable(group.path), query ? "query" : "body");
            nearest = describe_nearest(group, request);
            break;
        }
        if (group.method == "GET" || options_.any_path) allow("GET"), allow("HEAD");
        allow(group.method);
    }
    if (!allowed.empty()) {
        response.status = 405;
        response.headers.emplace_back("Allow", allowed);
        response.body = fmt::format("recorded methods of this path: {}\n", allowed);
        return response;
    }
    if (known.empty()) {
        const auto path = nearest_path(recordings_, request.path);
        if (!path.empty())
            nearest = fmt::format("nearest is the path {}, requested {}", printable(path, 200),
                                  printable(request.path, 200));
    }
    response.body = fmt::format("{}; recorded requests:\n",
                                known.empty() ? "no recording of this request" : known);
    const auto said = nearest.empty() ? std::string() : nearest + "\n";
    response.body.insert(0, said);
    for (const auto& it : recordings_) {
        const auto url = it.query.empty() ? it.path : it.path + "?" + it.query;
        response.body += fmt::format("{} {}\n", printable(it.method), printable(mask_url(url)));
    }
    return response;
}

} // namespace sse
