# xtensor, nlohmann/json and GoogleTest: the system's when it has them, else the same versions fetched by CMake.
include(FetchContent)

set(_json_url https://github.com/nlohmann/json/releases/download/v3.11.2/json.tar.xz)
set(_json_hash SHA256=8c4b26bf4b422252e13f332bc5e388ec0ab5c3443d24399acb675e68278d341f)
set(_gtest_url https://github.com/google/googletest/archive/refs/tags/release-1.12.1.tar.gz)
set(_gtest_hash SHA256=81964fe578e9bd7c94dfdb09c8e4d6e6759e19967e397dbea48d1c10e45d0df2)

set(JSON_BuildTests OFF)
set(JSON_Install OFF)
set(JSON_SystemInclude ON)
set(BUILD_GMOCK OFF)
set(INSTALL_GTEST OFF)

# xtensor and the xtl below it are headers alone, and the core's only library. Linked into a folder of ours in every build, as the
# system's own include folder must never be on the path of a WebAssembly build: its C headers would hide Emscripten's.
set(_xtensor_url https://github.com/xtensor-stack/xtensor/archive/refs/tags/0.24.3.tar.gz)
set(_xtl_url https://github.com/xtensor-stack/xtl/archive/refs/tags/0.7.5.tar.gz)
add_library(xtensor INTERFACE)
find_path(AETHERFLOW_XTENSOR_INCLUDE NAMES xtensor/xtensor.hpp xtensor/containers/xtensor.hpp PATHS /usr/include /usr/local/include /opt/homebrew/include
          /opt/local/include NO_DEFAULT_PATH NO_CMAKE_FIND_ROOT_PATH)
if(AETHERFLOW_XTENSOR_INCLUDE)
  set(_xtensor_headers "${CMAKE_BINARY_DIR}/xtensor-include")
  file(MAKE_DIRECTORY "${_xtensor_headers}")
  foreach(_folder xtensor xtl)
    file(CREATE_LINK "${AETHERFLOW_XTENSOR_INCLUDE}/${_folder}" "${_xtensor_headers}/${_folder}" SYMBOLIC)
  endforeach()
  target_include_directories(xtensor SYSTEM INTERFACE "${_xtensor_headers}")
else()
  # Only their headers: neither's own build is wanted.
  foreach(_folder xtensor xtl)
    FetchContent_Declare(${_folder}_headers URL ${_${_folder}_url} SOURCE_SUBDIR none)
    FetchContent_MakeAvailable(${_folder}_headers)
    target_include_directories(xtensor SYSTEM INTERFACE "${${_folder}_headers_SOURCE_DIR}/include")
  endforeach()
endif()

# nlohmann/json is what the tests and the fuzz target measure the core's JSON against.
if(AETHERFLOW_TESTS OR AETHERFLOW_FUZZ)
  if(EMSCRIPTEN)
    # The system's include folder must never be on the path of a WebAssembly build: its C headers would hide Emscripten's.
    # So only the folder of the one header-only library is linked into a folder of ours.
    find_path(AETHERFLOW_JSON_INCLUDE nlohmann/json.hpp PATHS /usr/include /usr/local/include /opt/homebrew/include
              /opt/local/include NO_DEFAULT_PATH NO_CMAKE_FIND_ROOT_PATH)
    if(AETHERFLOW_JSON_INCLUDE)
      file(MAKE_DIRECTORY "${CMAKE_BINARY_DIR}/system-include")
      file(CREATE_LINK "${AETHERFLOW_JSON_INCLUDE}/nlohmann" "${CMAKE_BINARY_DIR}/system-include/nlohmann" SYMBOLIC)
      add_library(nlohmann_json::nlohmann_json INTERFACE IMPORTED)
      target_include_directories(nlohmann_json::nlohmann_json SYSTEM INTERFACE "${CMAKE_BINARY_DIR}/system-include")
    else()
      FetchContent_Declare(nlohmann_json URL ${_json_url} URL_HASH ${_json_hash})
      FetchContent_MakeAvailable(nlohmann_json)
    endif()
  else()
    FetchContent_Declare(nlohmann_json URL ${_json_url} URL_HASH ${_json_hash} FIND_PACKAGE_ARGS 3.11 CONFIG)
    FetchContent_MakeAvailable(nlohmann_json)
  endif()
endif()

if(AETHERFLOW_TESTS)
  # Debian ships GoogleTest's sources; a WebAssembly build has to compile them in any case.
  if(EXISTS /usr/src/googletest/CMakeLists.txt AND NOT FETCHCONTENT_SOURCE_DIR_GOOGLETEST)
    set(FETCHCONTENT_SOURCE_DIR_GOOGLETEST /usr/src/googletest)
  endif()
  if(EMSCRIPTEN)
    set(gtest_disable_pthreads ON)
    FetchContent_Declare(googletest URL ${_gtest_url} URL_HASH ${_gtest_hash})
  else()
    FetchContent_Declare(googletest URL ${_gtest_url} URL_HASH ${_gtest_hash} FIND_PACKAGE_ARGS NAMES GTest)
  endif()
  FetchContent_MakeAvailable(googletest)
  if(NOT TARGET GTest::gtest_main)
    add_library(GTest::gtest_main ALIAS gtest_main)
  endif()
endif()
