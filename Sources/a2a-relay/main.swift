import Server

// `main` is the main actor's: it calls one function and does nothing else.
run()
