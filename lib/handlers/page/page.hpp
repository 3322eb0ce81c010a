// The viewer page's sources as text; CMake makes the .cpp of it (page.cpp.in).
#pragma once

#include <string_view>

namespace sse::page {

extern const std::string_view html; ///< with @SSE_PAGE_CSS@ and @SSE_PAGE_JS@ where those go
extern const std::string_view css;
extern const std::string_view js;

} // namespace sse::page
