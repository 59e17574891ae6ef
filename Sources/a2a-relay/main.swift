print("a2a-relay")
