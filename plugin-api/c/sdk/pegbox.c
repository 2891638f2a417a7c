// The SDK as one source, for the compiler's command line; bindings.c stands apart.

#include "src/call.c"
#include "src/capabilities.c"
#include "src/cleaner.c"
#include "src/exporter.c"
#include "src/json.c"
#include "src/lifecycle.c"
#include "src/loss.c"
#include "src/metric.c"
#include "src/records.c"
#include "src/tensor.c"
#include "src/text.c"
#include "src/validator.c"
