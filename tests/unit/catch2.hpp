// Catch2 2 and 3, behind one name.
#pragma once
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
#else
#include <catch2/catch.hpp>
using Catch::StartsWith;
inline auto ContainsSubstring(const std::string& part) { return Catch::Contains(part); }
#endif
