print("a2a-bench")
