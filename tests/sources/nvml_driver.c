/* A driver with two cards, as NVIDIA's library sees it; a test sets `cards` and `lost`. */
#include <stdio.h>
#include <string.h>
int cards = 2, lost = 0;
int nvmlInitWithFlags(unsigned flags) { return cards < 0 ? 9 : 0; }
int nvmlShutdown(void) { return 0; }
const char *nvmlErrorString(int code) { return code == 15 ? "GPU is lost" : "driver not loaded"; }
int nvmlDeviceGetCount_v2(unsigned *count) { *count = cards; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **handle) { *handle = (void *)(long)(index + 1); return 0; }
int nvmlDeviceGetUUID(void *card, char *text, unsigned size) { return snprintf(text, size, "GPU-%ld", (long)card) < 0; }
int nvmlDeviceGetName(void *card, char *text, unsigned size) { strcpy(text, "H100 \033[31m"); return 0; }
int nvmlDeviceGetUtilizationRates(void *card, unsigned *rates) { rates[0] = 87; rates[1] = 3; return lost ? 15 : 0; }
int nvmlDeviceGetMemoryInfo(void *card, unsigned long long *memory) {
    memory[0] = 80000000000ULL; memory[1] = 20000000000ULL; memory[2] = 60000000000ULL; return lost ? 15 : 0;
}
int nvmlDeviceGetTemperature(void *card, int sensor, unsigned *degrees) { *degrees = 64; return lost ? 15 : 0; }
int nvmlDeviceGetPowerUsage(void *card, unsigned *milliwatts) { *milliwatts = 412500; return lost ? 15 : 0; }
int nvmlDeviceGetTotalEnergyConsumption(void *card, unsigned long long *energy) { return lost ? 15 : 3; }
