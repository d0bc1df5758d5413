"""Programs in pods beside the probers: the commands of tutorials, and a held connection."""
