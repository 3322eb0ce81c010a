#include "net/host_name.hpp"

#include <algorithm>
#include <array>
#include <unistd.h>

namespace sse {

std::vector<std::string> own_host_names() {
    std::array<char, 256> buffer{};
    if (::gethostname(buffer.data(), buffer.size() - 1) != 0 || buffer[0] == '\0') return {};
    std::string name = buffer.data();
    std::transform(name.begin(), name.end(), name.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    const auto label = name.substr(0, name.find('.'));
    return {name, label, label + ".local"};
}

} // namespace sse
