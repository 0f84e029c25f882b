// How good are our priority lists? Against proven optima, and when the estimates are off.
//
//   psplib [FOLDER] [--json] [--seed N] [--samples N] [--budget N] [--draws N]
//
// FOLDER holds PSPLIB .sm files (j30, j60, j90, j120) and, for the gaps, optimum/optimum.csv (problem,optimum).
// The draws of real durations come from std::exp and their own seeds, not from the sampler of the search.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "core/base/rng.hpp"
#include "core/schedule/list_search.hpp"
#include "core/schedule/list_simulator.hpp"

#ifndef AETHERFLOW_ROOT
#define AETHERFLOW_ROOT "."
#endif

namespace {

using namespace aetherflow;

constexpr std::int64_t kUnitMs = 1000;                            // one time unit of the files
constexpr std::uint64_t kDrawSeeds[] = {0x5eed0001, 0x5eed0002};  // two independent sets of real durations
constexpr double kSpread = 2.0;

struct Options {
  std::string folder;
  bool json = false;
  int draws = 40;
  ListSearch search;
};

struct Instance {
  Project project;
  std::int64_t optimum = 0;  // 0 = not known
};

/// Sums over instances; divided at the end.
struct Sums {
  int instances = 0, withOptimum = 0, improved = 0, worse = 0;
  double fileGap = 0, longestGap = 0, ourGap = 0;
  double fileRatio[2] = {0, 0}, ourRatio[2] = {0, 0};
  double ms = 0, mostMs = 0;
};

std::vector<long> numbersIn(const std::string& line) {
  std::istringstream text(line);
  std::vector<long> numbers;
  for (long number = 0; text >> number;) numbers.push_back(number);
  return numbers;
}

enum class Section { Head, Precedence, Requests, Capacities };

/// Reads the sections by their titles and ignores rulers, headings and what it does not know. False: not such a file.
bool readProject(const std::string& path, Project& project) {
  std::ifstream file(path);
  std::map<long, std::vector<std::uint32_t>> successors;
  std::size_t renewable = 0;
  Section section = Section::Head;
  project.demandStart.push_back(0);
  for (std::string line; std::getline(file, line);) {
    if (line.find("PRECEDENCE RELATIONS") != std::string::npos) section = Section::Precedence;
    if (line.find("REQUESTS/DURATIONS") != std::string::npos) section = Section::Requests;
    if (line.find("RESOURCEAVAILABILITIES") != std::string::npos) section = Section::Capacities;
    if (section == Section::Head && line.find("- renewable") != std::string::npos) {
      renewable = static_cast<std::size_t>(std::atoi(line.c_str() + line.find(':') + 1));
    }
    const std::vector<long> row = numbersIn(line);
    if (row.empty()) continue;
    if (section == Section::Precedence && row.size() >= 3) {  // job, modes, successors, …
      for (std::size_t i = 3; i < row.size(); ++i) {
        successors[row[0]].push_back(static_cast<std::uint32_t>(row[i] - 1));
      }
    } else if (section == Section::Requests && row.size() >= 3 + renewable) {  // job, mode, duration, demands
      project.durationMs.push_back(row[2] * kUnitMs);
      for (std::size_t r = 0; r < renewable; ++r) {
        if (row[3 + r] <= 0) continue;
        project.demandResource.push_back(static_cast<std::uint32_t>(r));
        project.demandAmount.push_back(static_cast<std::uint32_t>(row[3 + r]));
      }
      project.demandStart.push_back(static_cast<std::uint32_t>(project.demandResource.size()));
    } else if (section == Section::Capacities && project.capacity.empty() && row.size() >= renewable) {
      for (std::size_t r = 0; r < renewable; ++r) project.capacity.push_back(static_cast<std::uint32_t>(row[r]));
    }
  }
  project.tasks = static_cast<std::uint32_t>(project.durationMs.size());
  project.successorStart.push_back(0);
  for (long job = 1; job <= static_cast<long>(project.tasks); ++job) {
    for (std::uint32_t next : successors[job]) {
      if (next >= project.tasks) return false;
      project.successor.push_back(next);
    }
    project.successorStart.push_back(static_cast<std::uint32_t>(project.successor.size()));
  }
  return project.tasks > 0 && renewable > 0 && project.capacity.size() == renewable;
}

std::map<std::string, std::int64_t> readOptima(const std::string& path) {
  std::map<std::string, std::int64_t> optima;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const std::size_t comma = line.find(',');
    if (comma == std::string::npos) continue;
    const std::int64_t value = std::atoll(line.c_str() + comma + 1);
    if (value > 0) optima[std::filesystem::path(line.substr(0, comma)).stem().string()] = value;
  }
  return optima;
}

std::vector<Instance> readFolder(const std::string& folder) {
  std::vector<std::filesystem::path> paths;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".sm") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  const std::map<std::string, std::int64_t> optima = readOptima(folder + "/optimum/optimum.csv");
  std::vector<Instance> instances;
  for (const auto& path : paths) {
    Instance instance;
    if (!readProject(path.string(), instance.project)) {
      std::fprintf(stderr, "psplib: not read: %s\n", path.filename().string().c_str());
      continue;
    }
    const auto found = optima.find(path.stem().string());
    if (found != optima.end()) instance.optimum = found->second * kUnitMs;
    instances.push_back(std::move(instance));
  }
  return instances;
}

void measure(const Instance& instance, const Options& options, std::uint64_t number, Sums& sums) {
  const Project& project = instance.project;
  std::vector<std::uint32_t> tasks(project.tasks);
  for (std::uint32_t t = 0; t < project.tasks; ++t) tasks[t] = t;
  const auto begin = std::chrono::steady_clock::now();
  const ListOrder ours = ListOrder::fromRanks(improveList(project, options.search));
  const double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
  const ListOrder file = ListOrder::fromTasks(tasks), longest = ListOrder::fromRanks(longestPathFirst(project));
  ListSimulator simulator(project);
  ++sums.instances;
  sums.ms += ms;
  sums.mostMs = std::max(sums.mostMs, ms);
  const auto over = [&](const ListOrder& order) {
    return static_cast<double>(simulator.run(order, project.durationMs.data())) /
               static_cast<double>(instance.optimum) -
           1;
  };
  if (instance.optimum > 0) {
    ++sums.withOptimum;
    sums.fileGap += over(file), sums.longestGap += over(longest), sums.ourGap += over(ours);
  }
  double mean = 0;
  std::vector<std::int64_t> real(project.tasks);
  for (int set = 0; set < 2; ++set) {
    Rng rng(kDrawSeeds[set] + number * 0x10001);
    for (int draw = 0; draw < options.draws; ++draw) {
      for (std::uint32_t t = 0; t < project.tasks; ++t) {
        const double factor = std::exp(std::log(kSpread) * (2 * rng.unit() - 1));
        real[t] = std::llround(static_cast<double>(project.durationMs[t]) * factor);
      }
      const auto base = static_cast<double>(simulator.run(longest, real.data()));
      if (base <= 0) continue;
      const double ratio = static_cast<double>(simulator.run(ours, real.data())) / base;
      sums.fileRatio[set] += static_cast<double>(simulator.run(file, real.data())) / base / options.draws;
      sums.ourRatio[set] += ratio / options.draws;
      mean += ratio / options.draws / 2;
    }
  }
  sums.improved += mean < 0.9995;
  sums.worse += mean > 1.0005;
}

void printTable(const Sums& sums, const Options& options) {
  const double n = sums.instances, known = std::max(sums.withOptimum, 1);
  std::printf("%d instances, %d with a proven optimum; real durations 0.5-2 x the estimates, 2 x %d draws\n\n",
              sums.instances, sums.withOptimum, options.draws);
  std::printf("%-22s %16s %24s %10s\n", "", "over the optimum", "estimates off, x longest", "ms a plan");
  std::printf("%-22s %14.2f %% %12.4f / %.4f\n", "file order", 100 * sums.fileGap / known, sums.fileRatio[0] / n,
              sums.fileRatio[1] / n);
  std::printf("%-22s %14.2f %% %12.4f / %.4f\n", "longest path first", 100 * sums.longestGap / known, 1.0, 1.0);
  std::printf("%-22s %14.2f %% %12.4f / %.4f %10.1f (most %.1f)\n", "improved list", 100 * sums.ourGap / known,
              sums.ourRatio[0] / n, sums.ourRatio[1] / n, sums.ms / n, sums.mostMs);
  std::printf("\nestimates off: better on %d, worse on %d, within 0.05 %% on the rest\n", sums.improved, sums.worse);
}

void printJson(const Sums& sums, const Options& options) {
  const double n = sums.instances, known = std::max(sums.withOptimum, 1);
  std::printf("{\"instances\":%d,\"withOptimum\":%d,\"draws\":%d,\"samples\":%u,\"budget\":%llu,", sums.instances,
              sums.withOptimum, options.draws, options.search.samples,
              static_cast<unsigned long long>(options.search.budget));
  std::printf("\"gap\":{\"file\":%.6f,\"longestPath\":%.6f,\"improved\":%.6f},", sums.fileGap / known,
              sums.longestGap / known, sums.ourGap / known);
  std::printf("\"ratio\":{\"file\":[%.6f,%.6f],\"improved\":[%.6f,%.6f]},", sums.fileRatio[0] / n,
              sums.fileRatio[1] / n, sums.ourRatio[0] / n, sums.ourRatio[1] / n);
  std::printf("\"better\":%d,\"worse\":%d,\"ms\":{\"mean\":%.3f,\"most\":%.3f}}\n", sums.improved, sums.worse,
              sums.ms / n, sums.mostMs);
}

Options readOptions(int count, char** words) {
  Options options;
  const char* shared = std::getenv("AETHERFLOW_SHARED");
  options.folder = (shared != nullptr ? std::string(shared) : std::string(AETHERFLOW_ROOT) + "/../shared") +
                   "/data/scheduling/psplib-j30";
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    const std::uint64_t next = i + 1 < count ? std::strtoull(words[i + 1], nullptr, 10) : 0;
    if (word == "--json")
      options.json = true;
    else if (word == "--seed")
      options.search.seed = next, ++i;
    else if (word == "--samples")
      options.search.samples = static_cast<std::uint32_t>(next), ++i;
    else if (word == "--budget")
      options.search.budget = next, ++i;
    else if (word == "--draws")
      options.draws = std::max(static_cast<int>(next), 1), ++i;
    else
      options.folder = word;
  }
  return options;
}

}  // namespace

int main(int count, char** words) {
  const Options options = readOptions(count, words);
  const std::vector<Instance> instances = readFolder(options.folder);
  if (instances.empty()) {
    std::fprintf(stderr, "psplib: no .sm files there; skipped (name a folder, or set AETHERFLOW_SHARED)\n");
    return options.json ? (std::puts("{\"skipped\":true}"), 0) : 0;
  }
  Sums sums;
  for (std::size_t i = 0; i < instances.size(); ++i) measure(instances[i], options, i, sums);
  if (options.json)
    printJson(sums, options);
  else
    printTable(sums, options);
  return 0;
}
