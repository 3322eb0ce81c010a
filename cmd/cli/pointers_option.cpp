#include "cmd/cli/pointers_option.hpp"

#include "base/error.hpp"
#include "cmd/cli/option_traits.hpp"

#include <CLI/CLI.hpp>
#include <vector>

namespace cmd {

CLI::Option* add_pointers(CLI::App& app, const std::string& name, sse::JsonPointers& field,
                          const std::string& help, const std::string& example) {
    const auto store = [&field, name](const std::vector<std::string>& pointers) {
        try {
            for (const auto& pointer : pointers) field.add(pointer);
        } catch (const sse::Error& e) {
            throw CLI::ValidationError(name, e.what());
        }
    };
    return with_example(app.add_option_function<std::vector<std::string>>(name, store, help),
                        example)
        ->expected(1)
        ->take_all()
        ->allow_extra_args(false)
        ->type_name("POINTER");
}

} // namespace cmd
