"""Where finished files are kept, and what they are before they are finished."""
