import Glibc
import System

// Top-level code is bound to the main actor; everything else lives in plain functions.
exit(benchMain(CommandLine.arguments.first ?? "").rawValue)
