// cpp-httplib's server as the table of statuses: it gives each its line. Its sockets, threads and
// heads are not used: it needs a pool thread for each open stream, and the fields that it adds to a
// head differ from version to version.
#pragma once

#include <map>
#include <memory>
#include <string>

namespace sse {

/// The first lines of responses, `HTTP/1.1 404 Not Found`. Used on one thread.
class StatusLines {
public:
    StatusLines();
    ~StatusLines();

    /// The line of a status from 100 to 599, without its end. The reference stays valid.
    const std::string& line(int status);

private:
    class Adapter;
    std::unique_ptr<Adapter> adapter_;
    std::map<int, std::string> known_; ///< httplib is asked once for each
};

} // namespace sse
