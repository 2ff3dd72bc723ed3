/* The chart library was not there when tickbusd was built: tools/setup-page fetches it. */
