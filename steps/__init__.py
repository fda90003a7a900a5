"""The tutorial: sixty scripts, each with one new idea, and exercises that are checked. Begin with steps/README.md."""
