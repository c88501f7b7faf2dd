"""Starting and stopping Jeoul: everything in one process, or one process for each job."""
