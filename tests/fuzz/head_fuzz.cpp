// Any bytes as the head of a message: refused, or fields that could not have been anything else.
#include "base/error.hpp"
#include "http/head.hpp"

#include <cstdint>
#include <cstdlib>

namespace {

bool one_line(std::string_view text) {
    return text.find_first_of(std::string_view("\r\n\0", 3)) == text.npos;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    try {
        const auto head = sse::Head::parse(bytes);
        if (!one_line(head.start_line()) || head.start_line().empty()) std::abort();
        auto again = head.start_line() + "\r\n";
        for (const auto& [name, value] : head.fields()) {
            if (name.empty() || name.find_first_of(": \t") != name.npos) std::abort();
            if (!one_line(name) || !one_line(value)) std::abort();
            if (!head.find(name) || head.count(name) == 0) std::abort();
            (void)head.has_token(name, "chunked");
            again.append(name).append(": ").append(value).append("\r\n");
        }
        // written again it reads the same
        const auto same = sse::Head::parse(again + "\r\n");
        if (same.start_line() != head.start_line()) std::abort();
        if (same.fields().size() != head.fields().size()) std::abort();
        for (std::size_t i = 0; i < same.fields().size(); ++i) {
            if (same.fields()[i].name != head.fields()[i].name) std::abort();
            if (same.fields()[i].value != head.fields()[i].value) std::abort();
        }
    } catch (const sse::Error& e) {
        if (e.code() != sse::Errc::bad_input) std::abort();
    }
    return 0;
}
