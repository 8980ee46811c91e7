# Sixteen targets for `make -j4`: commands that make starts itself, commands through a shell, one that fails and is ignored.
EASY := $(foreach n,1 2 3 4 5 6 7 8,easy$(n))
SHELLY := $(foreach n,1 2 3 4 5 6 7 8,shelly$(n))
all: $(EASY) $(SHELLY) failing below
$(EASY):
	@./tiny $@
$(SHELLY):
	@./tiny $@ | cat; ./tiny '$@ again'
failing:
	-@sh -c 'exit 9' 2>/dev/null
below:
	@$(MAKE) --no-print-directory -f det.mk easy1 easy2
.PHONY: all below failing $(EASY) $(SHELLY)
