"""A blind study of readers' preferences: a page of image pairs, its key, and what answers say."""
