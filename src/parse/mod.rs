//! What a line says: its role, level, message and exception, by the format of its file.
