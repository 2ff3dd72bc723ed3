/* elf_weak - a program without any protection, for elf.py to find fault with. */
int main(void)
{
	return 0;
}
