#include "check/observation.hpp"

#include "http/media_type.hpp"

namespace sse::checks {

std::string_view to_string(Probe probe) {
    switch (probe) {
    case Probe::main: return "main";
    case Probe::second: return "second";
    case Probe::compressed: return "compressed";
    case Probe::any_type: return "any-type";
    case Probe::head: return "head";
    case Probe::resumed: return "resumed";
    case Probe::again: return "again";
    case Probe::preflight: return "preflight";
    case Probe::direct: return "direct";
    }
    return "";
}

std::string_view Exchange::field(std::string_view name) const {
    for (const auto& each : fields) {
        if (same_name(each.name, name)) return each.value;
    }
    return {};
}

bool Exchange::is_stream() const {
    return has_head() && status == 200 && essence(field("Content-Type")) == "text/event-stream";
}

} // namespace sse::checks
