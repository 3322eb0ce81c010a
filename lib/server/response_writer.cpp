#include "server/response_writer.hpp"

#include "http/head.hpp"

#include <array>
#include <ctime>
#include <fmt/format.h>
#include <vector>

namespace sse {

namespace {

/// RFC 9110, 5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`, whatever the locale.
std::string http_date(std::time_t now) {
    constexpr std::array days = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    std::tm utc{};
    gmtime_r(&now, &utc);
    return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT",
                       days[static_cast<std::size_t>(utc.tm_wday)], utc.tm_mday,
                       months[static_cast<std::size_t>(utc.tm_mon)], utc.tm_year + 1900,
                       utc.tm_hour, utc.tm_min, utc.tm_sec);
}

bool is_stream(const Response& response) { return response.feed || response.streams; }

} // namespace

ResponseWriter::ResponseWriter(std::chrono::milliseconds idle) {
    if (idle.count() == 0) idle = std::chrono::hours(24); // no limit
    keep_alive_ = fmt::format("timeout={}, max=1000",
                              std::chrono::duration_cast<std::chrono::seconds>(idle).count());
}

std::string ResponseWriter::bytes(std::string_view method, Framing framing, bool keep_alive,
                                  const Response& response) {
    if (const auto now = std::time(nullptr); now != date_of_) {
        date_ = http_date(now);
        date_of_ = now;
    }
    const auto length = std::to_string(response.body.size());
    const bool stream = is_stream(response);
    std::vector<FieldView> fields;
    fields.reserve(response.headers.size() + 5);
    fields.push_back({"Date", date_});
    for (const auto& [name, value] : response.headers) fields.push_back({name, value});
    if (!response.content_type.empty()) fields.push_back({"Content-Type", response.content_type});
    else if (!response.body.empty()) fields.push_back({"Content-Type", "text/plain"});
    if (!stream) {
        // RFC 9110, 8.6: none in a 204
        const bool without =
            response.body.empty() && (response.status == 204 || response.status == 304);
        if (!without) fields.push_back({"Content-Length", length});
    } else if (framing == Framing::chunked) {
        fields.push_back({"Transfer-Encoding", "chunked"});
    }
    if (keep_alive) fields.push_back({"Keep-Alive", keep_alive_});
    else fields.push_back({"Connection", "close"});
    auto bytes = write_head(status_lines_.line(response.status), std::move(fields));
    if (!stream && method != "HEAD") bytes += response.body;
    return bytes;
}

} // namespace sse
