import Commands
import Glibc
import System

// `main` is the main actor's: it calls one function and does nothing else.
exit(CommandTable.runProcess().rawValue)
