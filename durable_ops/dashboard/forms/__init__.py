"""Every POST body of the console, a file per subject. Forms check shapes; rights and rules are the actions' business."""
