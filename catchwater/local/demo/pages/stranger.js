// Loaded from another origin and without crossorigin="anonymous": the browser keeps its errors to itself.
advertisement.show();
